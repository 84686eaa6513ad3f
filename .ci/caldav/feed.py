"""Reads calendar feeds as programs do that subscribe to an address: vdirsyncer's http storage and
python3-icalendar."""
import datetime
import http.client
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse
import zoneinfo

import icalendar

from server import property_of, sign_up

TODAY = datetime.date.today()


def fetch(server, url, **headers):
    """Reads a feed without signing in, and returns (status, headers, text)."""
    connection = http.client.HTTPConnection(server.parts.hostname, server.parts.port, timeout=60)
    connection.request("GET", urllib.parse.urlsplit(url).path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, answer.headers, text


def feed(server, form, path=None):
    body = {"as": form}
    if path:
        body["list_id"] = path.rstrip("/").rsplit("/", 1)[1]
    made = server.call("POST", "/feeds/", body)["feed"]
    return made["id"], server.url + "feeds/" + made["url"].rsplit("/", 1)[1]


def vdirsyncer(work, url, fails=False):
    """Copies a feed into a folder, and returns what is in that."""
    folder = work / "copy"
    folder.mkdir(exist_ok=True)
    (work / "config").write_text(f"""[general]
status_path = "{work}/status/"
[pair p]
a = "feed"
b = "copy"
collections = null
conflict_resolution = "a wins"
[storage feed]
type = "http"
url = "{url}"
[storage copy]
type = "singlefile"
path = "{work}/copy/all.ics"
""")
    for command in (["discover"], ["sync", "--force-delete"]):
        done = subprocess.run(["vdirsyncer", "-c", str(work / "config"), *command], capture_output=True, text=True, timeout=120, input="y\n" * 10)
    if fails:
        assert done.returncode != 0, done.stderr
        return None
    assert done.returncode == 0, done.stdout + done.stderr
    return icalendar.Calendar.from_ical((folder / "all.ics").read_bytes())


def titles(calendar, kind="VTODO"):
    return sorted(str(one["SUMMARY"]) for one in calendar.walk(kind))


def main(url):
    server = sign_up(url)
    path = server.make()

    def add(**fields):
        return server.call("POST", "/tasks/", {"list_id": path.rstrip("/").rsplit("/", 1)[1], **fields})["task"]

    add(title="a day", due="2026-11-30", labels=["a;b", "c"], description="one\ntwo; three", priority="high")
    add(title="a moment", due="2026-11-30T09:00", due_zone="Europe/Berlin")
    add(title="Sunday to Monday; Größe, 大小", start="2026-03-29T01:00", due="2026-03-30T01:00", due_zone="America/New_York")
    add(title="each week", due="2026-11-30T09:00", due_zone="Australia/Lord_Howe", recurrence="FREQ=WEEKLY;BYDAY=MO;UNTIL=20271231")
    add(title="without a date")
    done = add(title="done", due=TODAY.isoformat())
    server.call("PATCH", f"/tasks/{done['id']}", {"completed": True})
    six = ["Sunday to Monday; Größe, 大小", "a day", "a moment", "done", "each week", "without a date"]

    # By icalendar.
    number, both = feed(server, "both", path)
    status, headers, text = fetch(server, both)
    assert status == 200 and headers["Content-Type"].startswith("text/calendar") and headers["X-Robots-Tag"] == "noindex", (status, headers)
    calendar = icalendar.Calendar.from_ical(text)
    assert not calendar.errors and not any(one.errors for one in calendar.walk()), [one.errors for one in calendar.walk()]
    assert calendar.to_ical() and titles(calendar) == six, titles(calendar)
    assert len(titles(calendar, "VEVENT")) == 5 and "✓ done" in titles(calendar, "VEVENT"), titles(calendar, "VEVENT")
    todos = {str(one["SUMMARY"]): one for one in calendar.walk("VTODO")}
    events = {str(one["SUMMARY"]): one for one in calendar.walk("VEVENT")}
    assert todos["a day"]["DUE"].dt == datetime.date(2026, 11, 30) and str(todos["a day"]["DESCRIPTION"]) == "one\ntwo; three", todos["a day"]
    assert [str(one) for one in todos["a day"]["CATEGORIES"].cats] == ["a;b", "c"] and events["a day"]["DTEND"].dt == datetime.date(2026, 12, 1)
    moment = todos["a moment"]["DUE"].dt
    assert moment.utcoffset() == datetime.timedelta(hours=1) and moment.hour == 9, moment
    event = events["Sunday to Monday; Größe, 大小"]
    assert (event["DTEND"].dt - event["DTSTART"].dt) == datetime.timedelta(hours=24), event
    zones = {str(one["TZID"]): one.to_tz() for one in calendar.walk("VTIMEZONE")}
    assert set(zones) == {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe"}, set(zones)
    for name, zone in zones.items():  # each VTIMEZONE says what the system says
        for day in range(0, 365 * 4, 5):
            noon = datetime.datetime(2024, 1, 1, 12) + datetime.timedelta(days=day)
            told = zone.localize(noon) if hasattr(zone, "localize") else noon.replace(tzinfo=zone)
            assert told.utcoffset() == noon.replace(tzinfo=zoneinfo.ZoneInfo(name)).utcoffset(), (name, noon)
    assert todos["each week"]["RRULE"]["UNTIL"][0].tzinfo is not None, todos["each week"]

    # By vdirsyncer, again and again.
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        whole, only_events = feed(server, "todo")[1], feed(server, "event", path)[1]
        assert titles(vdirsyncer(work, whole)) == six
        server.call("PATCH", f"/tasks/{done['id']}", {"title": "renamed"})
        add(title="new")
        assert titles(vdirsyncer(work, whole)) == sorted([*six[:3], "renamed", *six[4:], "new"])
        copied = vdirsyncer(pathlib.Path(tempfile.mkdtemp(dir=folder)), only_events)
        assert len(titles(copied, "VEVENT")) == 5 and not titles(copied), titles(copied, "VEVENT")

        # What is revoked, left or deleted can't be read any more.
        _, headers, _ = fetch(server, both)
        assert fetch(server, both, If_None_Match=headers["ETag"])[0] == 304
        server.call("DELETE", f"/feeds/{number}")
        assert fetch(server, both, If_None_Match=headers["ETag"])[0] == 404
        guest = server.share(path, "viewer")
        theirs = feed(guest, "todo", path)[1]
        assert property_of(fetch(server, theirs)[2].decode(), "SUMMARY"), "a viewer's feed"
        guest.call("DELETE", f"/lists/{path.rstrip('/').rsplit('/', 1)[1]}/members/{guest.call('GET', '/users/me')['id']}")
        assert fetch(server, theirs)[0] == 404
        server.remove(path)
        assert fetch(server, only_events)[0] == 404
        vdirsyncer(pathlib.Path(tempfile.mkdtemp(dir=folder)), only_events, fails=True)
    print("feeds: read by vdirsyncer's http storage and by icalendar")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
