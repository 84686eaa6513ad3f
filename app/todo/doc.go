// Package todo is what people keep in taskapi.
//
// # Glossary
//
//   - List: what a task is in, exactly one. Inbox: the list that everybody has, which
//     is not shared. Archived: out of one member's own views.
//   - Member: somebody in a list, with a Role: owner, editor or viewer. Each list has
//     one owner. Invitation: a link by which somebody becomes a member, once.
//   - Task: one thing to do. Its user is the owner of its list. Open until it is
//     completed. Subtask: a task below another one, its parent, in the same list.
//   - Position: the place of a task among its siblings, those in the same list below the
//     same parent.
//   - Due: when a task is due, a day, a local time, or a moment (a local time in a
//     zone). Start: when it begins, in the same form. Dates: both.
//   - Wall: what a wall clock shows, kept as if it were UTC. Reader: the person by
//     whose clock "today" is told.
//   - Recurrence: how a task repeats, a subset of the RRULE of RFC 5545. Repetition: that
//     and where it counts from. Copy: what is kept of an occurrence that was completed.
//   - Reminder: when one person wants to be reminded of a task. It fires when that is,
//     which an Alarm sees to. Channel: a way by which it reaches the person.
//   - Label: a word on tasks. Key: what is the same for two spellings of it.
//   - Trash: what was deleted and can be restored.
//   - Version: the number of the last change of something, from the log of changes. Stamp:
//     that and the number of the reader's own part in it. Match: the stamps of what a
//     change may be done to.
//   - Change: a line of the log, and by its number the whole request that wrote it, which is
//     a group of lines. Undo: a request that gives all of a group its values from before.
//   - Collection: a list as calendar clients have it. Object: a task as they have it, a text of
//     iCalendar with a name. Kept: what a client has put, beside what the task is. VALARM: what
//     a reminder is in an object; each person's own.
//   - Feed: an address at which a calendar is read by whoever knows it. Form: what tasks are told
//     as in it.
//   - Ref: the name of a task or a list, its id or its uid.
//   - Find: a search by conditions, with a sort. Cursor: the place in it where the next
//     page begins. View: conditions with a name, such as today.
package todo
