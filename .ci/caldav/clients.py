"""What the clients are made to do: one class a client, one method a cell of the table."""
import datetime
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import urllib.parse
import uuid

import caldav
from caldav.lib import error as refusal

from server import Server, property_of, todo, unfold

HERE = pathlib.Path(__file__).parent
REPEATING = ("DTSTART;VALUE=DATE:20261101", "DUE;VALUE=DATE:20261101", "RRULE:FREQ=WEEKLY")


def completed(text):
    """Returns an object with its task completed, as most clients do it."""
    done = "STATUS:COMPLETED\r\nCOMPLETED:20261120T100000Z\r\nPERCENT-COMPLETE:100\r\nEND:VTODO"
    return text.replace("STATUS:NEEDS-ACTION\r\n", "").replace("END:VTODO", done)


def is_done(text):
    return property_of(text, "STATUS") == "COMPLETED" and bool(property_of(text, "COMPLETED"))


class Client:
    """A client with a folder and a collection of its own."""

    def __init__(self, server, work):
        self.server, self.work = server, work / (type(self).__name__ + uuid.uuid4().hex[:6])
        self.work.mkdir()
        self.path = server.make()

    def only(self):
        """Returns the name and the text of the one object on the server."""
        found = self.server.objects(self.path)
        assert len(found) == 1, f"{len(found)} objects"
        return next(iter(found.items()))

    def seed(self, title, *lines):
        text, uid = todo(title, *lines)
        self.server.put(f"{self.path}{uid}.ics", text, If_None_Match="*")
        return uid

    def check_repeated(self):
        """Checks the one task after its completion: ours moves on, others keep what they get."""
        text = self.only()[1]
        assert property_of(text, "RRULE") == "FREQ=WEEKLY", text
        if self.server.ours:
            assert not is_done(text) and property_of(text, "DUE") > "20261101", text
        else:
            assert is_done(text), text

    def run(self, *command, input=None, fails=False):
        env = dict(os.environ, HOME=str(self.work), XDG_CONFIG_HOME=str(self.work), XDG_CACHE_HOME=str(self.work), TZ="Europe/Berlin", LC_ALL="C.UTF-8")
        done = subprocess.run(command, input=input, capture_output=True, text=True, env=env, timeout=300, cwd=self.work)
        assert (done.returncode != 0) == fails, (command, done.returncode, done.stdout[-1500:], done.stderr[-1500:])
        return done.stdout + done.stderr


class Vdirsyncer(Client):
    """Two-way copies of a collection in a folder."""

    types = ""

    def configure(self, server, name="local", conflict="null", token="a"):
        uid = self.path.rstrip("/").rsplit("/", 1)[1]
        self.folder = self.work / name / uid
        (self.work / f"{name}.config").write_text(f"""[general]
status_path = "{self.work}/status-{name}/"
[pair p]
a = "local"
b = "remote"
collections = ["{uid}"]
conflict_resolution = {conflict}
metadata = ["displayname", "color"]
[storage local]
type = "filesystem"
path = "{self.work}/{name}/"
fileext = ".ics"
[storage remote]
type = "caldav"
url = "{server.url}"
username = "{server.user or 'nobody'}"
password = "{server.password or 'nothing'}"
{self.types}
""")
        self.config = self.work / f"{name}.config"
        self.folder.mkdir(parents=True, exist_ok=True)
        said = self.run("vdirsyncer", "-c", str(self.config), "discover", input="y\n" * 20)
        assert uid in said, said

    def sync(self, fails=False):
        return self.run("vdirsyncer", "-c", str(self.config), "sync", fails=fails)

    def local(self):
        # Not read as text: line ends count.
        return {p.name: p.read_bytes().decode() for p in self.folder.glob("*.ics")}

    def write(self, title, *lines):
        text, uid = todo(title, *lines)
        (self.folder / f"{uid}.ics").write_bytes(text.encode())
        return uid

    def change(self, old, new, text=None):
        (name, now), = self.local().items()
        (self.folder / name).write_bytes((text or now).replace(old, new).encode())

    def discover(self):
        self.configure(self.server)

    def read(self):
        self.configure(self.server)
        self.seed(r"Größe\, 大小\; read", "X-HARNESS;X-P=\"a:b\":kept")
        self.sync()
        (text,) = self.local().values()
        assert property_of(text, "SUMMARY") == r"Größe\, 大小\; read" and property_of(text, "X-HARNESS") == "kept", text

    def create(self):
        self.configure(self.server)
        self.write("created here", "X-HARNESS:kept", "CATEGORIES:a,b")
        self.sync()
        text = self.only()[1]
        assert property_of(text, "SUMMARY") == "created here" and property_of(text, "X-HARNESS") == "kept", text

    def edit(self):
        self.configure(self.server)
        self.write("first")
        self.sync()
        self.change("first", "second")
        self.sync()
        name, text = self.only()
        assert property_of(text, "SUMMARY") == "second", text
        self.server.put(self.path + name, text.replace("second", "third"))
        self.sync()
        assert property_of(*self.local().values(), "SUMMARY") == "third"
        self.sync()  # and then rests
        assert property_of(self.only()[1], "SUMMARY") == "third"

    def complete(self):
        self.configure(self.server)
        self.seed("to do")
        self.sync()
        self.change("", "", completed(*self.local().values()))
        self.sync()
        assert is_done(self.only()[1])

    def repeat(self):
        self.configure(self.server)
        self.seed("weekly", *REPEATING)
        self.sync()
        self.change("", "", completed(*self.local().values()))
        self.sync()
        self.check_repeated()
        self.sync()
        assert is_done(*self.local().values()) != self.server.ours

    def delete(self):
        self.configure(self.server)
        self.seed("stays")
        one, two = self.seed("one"), self.seed("two")
        self.sync()
        (self.folder / f"{one}.ics").unlink()
        self.server.request("DELETE", f"{self.path}{two}.ics")
        self.sync()
        assert self.server.titles(self.path) == ["stays"] and len(self.local()) == 1

    def share(self):
        self.seed("shared")
        editor, viewer = self.server.share(self.path, "editor"), self.server.share(self.path, "viewer")
        self.configure(editor, "editor")
        self.sync()
        self.change("shared", "by the editor")
        self.sync()
        self.configure(viewer, "viewer")
        self.sync()
        assert property_of(*self.local().values(), "SUMMARY") == "by the editor"
        self.change("by the editor", "by the viewer")
        self.sync(fails=True)
        assert self.server.titles(self.path) == ["by the editor"]

    def conflict(self):
        self.configure(self.server)
        self.seed("before")
        self.sync()
        name, text = self.only()
        self.server.put(self.path + name, text.replace("before", "there"))
        self.change("before", "here")
        assert "conflict" in self.sync(fails=True).lower()
        assert self.server.titles(self.path) == ["there"]
        self.config.write_text(self.config.read_text().replace("= null", '= "a wins"'))
        self.sync()
        assert self.server.titles(self.path) == ["here"]

    def many(self):
        """1,000 tasks, both ways; fewer with xandikos, which makes a commit of each."""
        half = 50 if self.server.kind == "xandikos" else 500
        self.configure(self.server)
        for number in range(half):
            self.write(f"local {number}")
            self.seed(f"remote {number}")
        self.sync()
        assert len(self.local()) == 2 * half and len(self.server.names(self.path)) == 2 * half
        self.sync()
        assert len(self.local()) == 2 * half and len(self.server.names(self.path)) == 2 * half


class Todoman(Vdirsyncer):
    """A command line on such a folder."""

    types = 'item_types = ["VTODO"]'

    def todoman(self, *arguments):
        (self.work / "todoman.py").write_text(f'path = "{self.folder.parent}/*"\ndate_format = "%Y-%m-%d"\ntime_format = "%H:%M"\ncache_path = "{self.work}/todoman.sqlite3"\n')
        return self.run("todoman", "-c", str(self.work / "todoman.py"), *arguments)

    def tasks(self):
        return json.loads(self.todoman("--porcelain", "list", "--status", "ANY"))

    def number(self):
        (task,) = self.tasks()
        return str(task["id"])

    def list_name(self):
        return self.folder.name

    def read(self):
        super().read()
        (task,) = self.tasks()
        assert task["summary"] == "Größe, 大小; read", task

    def create(self):
        self.configure(self.server)
        self.sync()
        shown = self.folder / "displayname"
        self.todoman("new", "-l", shown.read_text().strip() if shown.exists() else self.folder.name, "--due", "2026-12-24 18:00", "--priority", "high", "made by todoman")
        self.sync()
        text = self.only()[1]
        assert property_of(text, "SUMMARY") == "made by todoman" and property_of(text, "DUE"), text
        assert property_of(text, "PRIORITY") in "1234", text

    def edit(self):
        self.configure(self.server)
        self.seed("first", "X-HARNESS:kept")
        self.sync()
        self.todoman("edit", self.number(), "--due", "2026-12-24 18:00")
        self.sync()
        text = self.only()[1]
        assert "20261224T1" in property_of(text, "DUE") and property_of(text, "X-HARNESS") == "kept", text

    def complete(self):
        self.configure(self.server)
        self.seed("to do")
        self.sync()
        self.todoman("done", self.number())
        self.sync()
        assert is_done(self.only()[1])

    def repeat(self):
        """todoman moves the date on by itself, and leaves a completed task beside it."""
        self.configure(self.server)
        self.seed("weekly", *REPEATING)
        self.sync()
        self.todoman("done", self.number())
        self.sync()
        texts = list(self.server.objects(self.path).values())
        assert len(texts) == 2 and sum(map(is_done, texts)) == 1, texts
        assert [property_of(t, "RRULE") for t in texts if not is_done(t)] == ["FREQ=WEEKLY"], texts
        self.sync()

    def delete(self):
        self.configure(self.server)
        self.seed("one")
        self.seed("two")
        self.sync()
        one = next(str(t["id"]) for t in self.tasks() if t["summary"] == "one")
        self.todoman("delete", "--yes", one)
        self.sync()
        assert self.server.titles(self.path) == ["two"]

    many = None


class PythonCaldav(Client):
    """The library that Home Assistant uses."""

    def __init__(self, server, work):
        super().__init__(server, work)
        self.calendar = self.collection(server)

    def collection(self, server):
        principal = caldav.DAVClient(server.url, username=server.user or None, password=server.password or None).principal()
        return next(c for c in principal.calendars() if urllib.parse.urlsplit(str(c.url)).path == self.path)

    def discover(self):
        principal = caldav.DAVClient(self.server.url, username=self.server.user or None, password=self.server.password or None).principal()
        made = principal.make_calendar(name="Made by python", supported_calendar_component_set=["VTODO"])
        found = {str(c.url): c.get_display_name() for c in principal.calendars()}
        assert found.get(str(made.url)) == "Made by python", found
        made.delete()
        assert str(made.url) not in [str(c.url) for c in principal.calendars()]

    def read(self):
        self.seed("open one", "DUE:20261124T100000Z")
        self.seed("done one", "STATUS:COMPLETED", "COMPLETED:20261120T100000Z")
        assert [t.icalendar_component["SUMMARY"] for t in self.calendar.todos()] == ["open one"]
        assert len(self.calendar.todos(include_completed=True)) == 2
        found = self.calendar.search(todo=True, start=datetime.datetime(2026, 11, 24), end=datetime.datetime(2026, 11, 25))
        # Radicale and Xandikos pass over a time-range that stands behind other filters.
        assert not self.server.ours or "open one" in [t.icalendar_component["SUMMARY"] for t in found]
        if self.server.kind != "xandikos":  # which compares whole texts where RFC 4791 asks for a part
            found = self.calendar.search(todo=True, summary="done", include_completed=True)
            assert [t.icalendar_component["SUMMARY"] for t in found] == ["done one"]

    def create(self):
        made = self.calendar.save_todo(summary="made by python", due=datetime.date(2026, 12, 24), priority=1, categories=["a", "b"])
        text = self.only()[1]
        assert property_of(text, "SUMMARY") == "made by python" and property_of(text, "DUE") == "20261224", text
        assert self.calendar.todo_by_uid(made.icalendar_component["UID"]).icalendar_component["SUMMARY"] == "made by python"

    def edit(self):
        token = self.calendar.objects_by_sync_token()
        uid = self.seed("first", "X-HARNESS:kept")
        task = self.calendar.todo_by_uid(uid)
        task.icalendar_component["SUMMARY"] = "second"
        task.save()
        text = self.only()[1]
        assert property_of(text, "SUMMARY") == "second" and property_of(text, "X-HARNESS") == "kept", text
        changed = self.calendar.objects_by_sync_token(sync_token=token.sync_token, load_objects=True)
        assert [t.icalendar_component["SUMMARY"] for t in changed] == ["second"]
        assert not list(self.calendar.objects_by_sync_token(sync_token=changed.sync_token))

    def complete(self):
        uid = self.seed("to do")
        self.calendar.todo_by_uid(uid).complete()
        assert is_done(self.only()[1]) and not self.calendar.todos()

    def repeat(self):
        uid = self.seed("weekly", *REPEATING)
        self.calendar.todo_by_uid(uid).complete()
        self.check_repeated()

    def delete(self):
        uid = self.seed("one")
        self.seed("two")
        before = self.calendar.objects_by_sync_token(load_objects=True)
        self.calendar.todo_by_uid(uid).delete()
        assert self.server.titles(self.path) == ["two"]
        updated, deleted = before.sync()
        assert not updated and len(deleted) == 1, (updated, deleted)

    def share(self):
        self.seed("shared")
        editor, viewer = (self.collection(self.server.share(self.path, role)) for role in ("editor", "viewer"))
        (task,) = editor.todos()
        task.icalendar_component["SUMMARY"] = "by the editor"
        task.save()
        (task,) = viewer.todos()
        task.icalendar_component["SUMMARY"] = "by the viewer"
        try:
            task.save()
            raise AssertionError("a viewer could write")
        except (refusal.AuthorizationError, refusal.PutError):
            assert self.server.titles(self.path) == ["by the editor"]

    def conflict(self):
        """It sends no If-Match: what two copies change, the later one wins."""
        uid = self.seed("before")
        first, second = self.calendar.todo_by_uid(uid), self.calendar.todo_by_uid(uid)
        for task, title in (first, "one"), (second, "two"):
            task.icalendar_component["SUMMARY"] = title
            task.save()
        assert self.server.titles(self.path) == ["two"]

    def kept(self):
        """500 objects of random lines, each edited once: no unknown line is lost."""
        for seed in range(50 if self.server.kind == "xandikos" else 500):
            chance = random.Random(seed)
            lines = [strange(chance, number) for number in range(chance.randint(1, 8))]
            text, uid = todo(f"random {seed}", *lines)
            href = f"{self.path}{uid}.ics"
            self.server.put(href, text, If_None_Match="*")
            assert not self.server.ours or self.server.get(href) == text, (seed, text, self.server.get(href))
            task = caldav.Todo(client=self.calendar.client, url=self.server.absolute(href), parent=self.calendar)
            task.load()
            task.icalendar_component["SUMMARY"] = f"edited {seed}"
            task.save()
            got = unfold(self.server.get(href))
            want = [line for line in unfold("\r\n".join(lines)).splitlines()]
            assert property_of(got, "SUMMARY") == f"edited {seed}", (seed, got)
            kept = [line for line in got.splitlines() if line.startswith("X-")]
            assert list(map(plain, kept)) == list(map(plain, want)), (seed, kept, want)


def plain(line):
    """Returns a line without what two ways of writing one thing differ in: quotes that a value does not need."""
    name, value = re.match(r'((?:[^":]|"[^"]*")*):(.*)', line).groups()
    return sorted(name.replace('"', "").split(";")), value


def strange(chance, number):
    """Returns a folded line of a property that nobody knows."""
    value = "".join(chance.choice("abcdefghij ÄÖÜ大小🙂,;:=\"'") for _ in range(chance.randint(1, 150))).replace(";", "\\;").replace(",", "\\,")
    name = f"X-STRANGE-{number}" + chance.choice(["", ";X-P=1", ';X-P="a;b:c,d"', ";LANGUAGE=de;X-Q=\"\u00e4\""])
    line, folded = f"{name}:v{value}v", []
    while len(line.encode()) > 70:
        cut = max(n for n in range(1, len(line)) if len(line[:n].encode()) <= 70)
        folded.append(line[:cut])
        line = " " + line[cut:]
    return "\r\n".join([*folded, line])


class Tsdav(Client):
    """The library of JavaScript; tsdav.mjs has the steps."""

    def node(self, step, server=None):
        server = server or self.server
        work = os.environ["CALDAV_NODE"]
        shutil.copy(HERE / "tsdav.mjs", work)
        return self.run("node", str(pathlib.Path(work) / "tsdav.mjs"), step, server.url, server.user or "nobody", server.password or "nothing", self.path)

    def discover(self):
        self.node("discover")

    def read(self):
        self.seed("read me", "X-HARNESS:kept")
        assert "read me" in self.node("read")

    def create(self):
        self.node("create")
        assert self.server.titles(self.path) == ["made by tsdav"]

    def edit(self):
        self.seed("first", "X-HARNESS:kept")
        self.node("edit")
        text = self.only()[1]
        assert property_of(text, "SUMMARY") == "second" and property_of(text, "X-HARNESS") == "kept", text

    def complete(self):
        self.seed("to do")
        self.node("complete")
        assert is_done(self.only()[1])

    def repeat(self):
        self.seed("weekly", *REPEATING)
        self.node("complete")
        self.check_repeated()

    def delete(self):
        self.seed("one")
        self.node("delete")
        assert not self.server.names(self.path)

    def share(self):
        self.seed("first")
        editor, viewer = self.server.share(self.path, "editor"), self.server.share(self.path, "viewer")
        assert "first" in self.node("read", viewer)
        self.node("refused", viewer)
        self.node("edit", editor)
        assert self.server.titles(self.path) == ["second"]

    def conflict(self):
        self.seed("before")
        self.node("conflict")
        assert self.server.titles(self.path) == ["there"]


class Cadaver(Client):
    """WebDAV from a command line, which knows nothing of calendars."""

    def cadaver(self, *lines, server=None):
        server = server or self.server
        (self.work / ".netrc").write_text(f"machine {server.parts.hostname}\nlogin {server.user or 'nobody'}\npassword {server.password or 'nothing'}\n")
        (self.work / ".netrc").chmod(0o600)
        return self.run("cadaver", server.absolute(self.path), input="\n".join([*lines, "quit", ""]))

    def discover(self):
        home = urllib.parse.urlsplit(self.server.absolute(self.server.home())).path
        said = self.cadaver(f"cd {home}", "ls")
        assert self.path.rstrip("/").rsplit("/", 1)[1][:8] in said or "Coll:" in said, said

    def read(self):
        uid = self.seed("read me")
        self.cadaver(f"get {uid}.ics got.ics")
        assert property_of((self.work / "got.ics").read_bytes().decode(), "SUMMARY") == "read me"

    def upload(self, text, name, server=None):
        (self.work / "put.ics").write_bytes(text.encode())
        return self.cadaver(f"put put.ics {name}", server=server)

    def create(self):
        text, uid = todo("made by cadaver")
        self.upload(text, f"{uid}.ics")
        assert self.server.titles(self.path) == ["made by cadaver"]

    def edit(self):
        uid = self.seed("first")
        self.upload(self.only()[1].replace("first", "second"), f"{uid}.ics")
        assert self.server.titles(self.path) == ["second"]

    def complete(self):
        uid = self.seed("to do")
        self.upload(completed(self.only()[1]), f"{uid}.ics")
        assert is_done(self.only()[1])

    def repeat(self):
        uid = self.seed("weekly", *REPEATING)
        self.upload(completed(self.only()[1]), f"{uid}.ics")
        self.check_repeated()

    def delete(self):
        uid = self.seed("one")
        self.cadaver(f"delete {uid}.ics")
        assert not self.server.names(self.path)

    def share(self):
        uid = self.seed("shared")
        viewer = self.server.share(self.path, "viewer")
        said = self.upload(self.only()[1].replace("shared", "by the viewer"), f"{uid}.ics", server=viewer)
        assert "403" in said and self.server.titles(self.path) == ["shared"], said

    conflict = None
