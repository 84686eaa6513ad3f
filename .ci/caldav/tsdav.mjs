// One step with tsdav: node tsdav.mjs STEP URL USER PASSWORD PATH
import assert from 'node:assert'
import { createDAVClient } from 'tsdav'

const [step, serverUrl, username, password, path] = process.argv.slice(2)
const client = await createDAVClient({ serverUrl, credentials: { username, password }, authMethod: 'Basic', defaultAccountType: 'caldav' })

const pathOf = (url) => new URL(url, serverUrl).pathname
const calendars = await client.fetchCalendars()
const calendar = calendars.find((c) => pathOf(c.url) === path)
assert(calendar, `no ${path} among ${calendars.map((c) => c.url)}`)
const filters = [{ 'comp-filter': { _attributes: { name: 'VCALENDAR' }, 'comp-filter': { _attributes: { name: 'VTODO' } } } }]
const objects = () => client.fetchCalendarObjects({ calendar, filters })
const ok = (answer) => assert(answer.ok, `${answer.status} ${answer.statusText}`)

const steps = {
  async discover() {
    assert(calendar.components.includes('VTODO'), JSON.stringify(calendar))
    const url = path.replace(/[^/]+\/$/, crypto.randomUUID() + '/')
    const made = await client.makeCalendar({ url: new URL(url, serverUrl).href, props: { displayname: 'Made by tsdav' } })
    assert(made.every((a) => a.ok), JSON.stringify(made))
    const found = (await client.fetchCalendars()).find((c) => pathOf(c.url) === url)
    assert.equal(found?.displayName, 'Made by tsdav')
    ok(await client.deleteObject({ url: found.url }))
  },
  async read() {
    for (const object of await objects()) console.log(object.data, object.etag)
  },
  async create() {
    const uid = crypto.randomUUID()
    const iCalString = ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//tsdav//EN', 'BEGIN:VTODO', `UID:${uid}`, 'DTSTAMP:20261101T080000Z', 'SUMMARY:made by tsdav', 'END:VTODO', 'END:VCALENDAR', ''].join('\r\n')
    ok(await client.createCalendarObject({ calendar, iCalString, filename: `${uid}.ics` }))
    const again = await client.createCalendarObject({ calendar, iCalString, filename: `${uid}.ics` })
    assert.equal(again.status, 412)
  },
  async edit() {
    const before = { ...calendar, objects: await objects() }
    const [object] = before.objects
    ok(await client.updateCalendarObject({ calendarObject: { ...object, data: object.data.replace('SUMMARY:first', 'SUMMARY:second') } }))
    const after = await client.smartCollectionSync({ collection: { ...before, objectMultiGet: client.calendarMultiGet }, method: 'webdav', detailedResult: true })
    assert.equal(after.objects.updated.length, 1, JSON.stringify(after.objects))
    assert(after.objects.updated[0].data.includes('SUMMARY:second'))
  },
  async complete() {
    const [object] = await objects()
    ok(await client.updateCalendarObject({ calendarObject: { ...object, data: object.data.replace('STATUS:NEEDS-ACTION\r\n', '').replace('END:VTODO', 'STATUS:COMPLETED\r\nCOMPLETED:20261120T100000Z\r\nEND:VTODO') } }))
  },
  async delete() {
    const [calendarObject] = await objects()
    ok(await client.deleteCalendarObject({ calendarObject }))
    assert.equal((await objects()).length, 0)
  },
  async refused() {
    const [object] = await objects()
    const answer = await client.updateCalendarObject({ calendarObject: { ...object, data: object.data.replace('first', 'by the viewer') } })
    assert.equal(answer.status, 403)
  },
  async conflict() {
    const [object] = await objects()
    ok(await client.updateCalendarObject({ calendarObject: { ...object, data: object.data.replace('before', 'there') } }))
    const late = await client.updateCalendarObject({ calendarObject: { ...object, data: object.data.replace('before', 'here') } })
    assert.equal(late.status, 412)
  },
}
await steps[step]()
