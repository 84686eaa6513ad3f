"""evolution-data-server: the library under Evolution, Endeavour and GNOME Calendar, without a display."""
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time
import uuid

from clients import HERE, REPEATING, Client, completed, is_done
from server import Server, property_of, todo

SERVICES = pathlib.Path("/usr/share/dbus-1/services")
# Only the two services that are wanted: with a keyring or a prompt, somebody would have to answer.
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir={0}</listen><servicedir>{0}/services</servicedir><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""


class Refused(Exception):
    """What the library says when it does not do something."""


class Desktop(contextlib.AbstractContextManager):
    """A desktop that runs eds.py: its methods are those of the class of this name there."""

    def __init__(self, folder, server):
        services = folder / "services"
        services.mkdir(parents=True, exist_ok=True)
        for name in "Sources", "Calendar":
            for one in SERVICES.glob(f"org.gnome.evolution.dataserver.{name}[0-9]*.service"):
                (services / one.name).write_bytes(one.read_bytes())
        (folder / "bus.conf").write_text(BUS.format(folder))
        folder.chmod(0o700)
        env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS")}
        env |= {"HOME": str(folder), "TZ": "Europe/Berlin", "LC_ALL": "C.UTF-8", "GSETTINGS_BACKEND": "memory", "GIO_USE_VFS": "local", "GIO_USE_PROXY_RESOLVER": "dummy"}
        env |= {f"XDG_{name}": str(folder / name.lower()) for name in ("CONFIG_HOME", "CACHE_HOME", "DATA_HOME", "STATE_HOME")}
        env["XDG_RUNTIME_DIR"] = str(folder)
        reads, writes = os.pipe()
        self.answers = open(reads)
        command = ["timeout", "--kill-after=5", "60", "dbus-run-session", f"--config-file={folder}/bus.conf", "--", "/usr/bin/python3", str(HERE / "eds.py"), str(writes), server.url, server.user or "nobody", server.password or "nothing"]
        self.log = (folder / "log").open("w+")
        self.process = subprocess.Popen(command, env=env, cwd=folder, stdin=subprocess.PIPE, stdout=self.log, stderr=self.log, text=True, pass_fds=[writes], start_new_session=True)
        os.close(writes)

    def __getattr__(self, name):
        def call(*arguments):
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.write(json.dumps([name, *arguments]) + "\n")
                self.process.stdin.flush()
            line = self.answers.readline()
            if not line:
                self.log.seek(0)
                raise AssertionError(f"{name}: the desktop is gone: {self.log.read()[-1500:]}")
            answer = json.loads(line)
            if "error" in answer:
                raise Refused(answer["error"])
            return answer["value"]
        return call

    def __exit__(self, *_):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # its own group, with whatever has not ended by itself
        self.process.wait(10)
        self.answers.close()
        self.log.close()

    def titles(self):
        return sorted(property_of(text, "SUMMARY") for text in self.tasks())

    def shows(self, *titles):
        """Waits until the local copy has these tasks, in the order of their titles."""
        self.refresh()
        until(self.titles, sorted(titles))

    def task(self, title):
        return next(text for text in self.tasks() if property_of(text, "SUMMARY") == title)


def until(get, want):
    """Waits until something is what it should be: the library synchronises behind one's back."""
    end = time.monotonic() + 20
    while (got := get()) != want:
        assert time.monotonic() < end, f"{got} is not {want}"
        time.sleep(0.05)


class Line(contextlib.AbstractContextManager):
    """A line to a server that can be cut."""

    def __init__(self, server):
        self.to, self.open, self.ends = (server.parts.hostname, server.parts.port), True, set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.server = Server(server.kind, f"http://127.0.0.1:{self.listener.getsockname()[1]}{server.parts.path}", server.user, server.password)
        self.accepting = threading.Thread(target=self.accept, daemon=True)
        self.accepting.start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if not self.open:
                near.close()
                continue
            far = socket.create_connection(self.to, timeout=60)
            self.ends |= {near, far}
            for one, other in (near, far), (far, near):
                threading.Thread(target=copy, args=(one, other), daemon=True).start()

    def cut(self):
        self.open = False
        for one in self.ends:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def mend(self):
        self.open = True

    def __exit__(self, *_):
        self.cut()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.accepting.join(10)


def copy(one, other):
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    with contextlib.suppress(OSError):
        other.shutdown(socket.SHUT_WR)


def vtodo(title, *lines):
    return "\r\n".join(["BEGIN:VTODO", "SUMMARY:" + title, *lines, "END:VTODO", ""])


class Evolution(Client):
    """Desktops that share nothing but the server."""

    def desktop(self, server=None, name="desktop"):
        return Desktop(self.work / name, server or self.server)

    @contextlib.contextmanager
    def opened(self, server=None, name="desktop"):
        with self.desktop(server, name) as desktop:
            desktop.open(self.path)
            yield desktop

    def discover(self):
        with self.desktop() as desktop:
            assert desktop.discover().get(self.path) == "Harness", desktop.discover()
            desktop.add_account()
            until(lambda: desktop.lists().get(self.path), "Harness")
            made = f"{self.server.home()}{uuid.uuid4()}/"
            desktop.add_list(self.server.absolute(made), "Made by Evolution")
            until(lambda: desktop.lists().get(made), "Made by Evolution")
            assert self.server.property(made, "displayname") == "Made by Evolution"
            desktop.drop_list(self.server.absolute(made))
            until(lambda: made in desktop.lists(), False)
            assert not self.server.property(made, "displayname")

    def read(self):
        self.seed(r"Größe\, 大小\; read", "X-HARNESS;X-P=\"a:b\":kept", "DUE;TZID=Europe/Berlin:20261124T100000")
        with self.opened() as desktop:
            desktop.shows(r"Größe\, 大小\; read")
            (text,) = desktop.tasks()
            assert property_of(text, "X-HARNESS") == "kept" and property_of(text, "DUE") == "20261124T100000", text

    def create(self):
        with self.opened() as desktop:
            desktop.create(vtodo("made by evolution", "DUE;VALUE=DATE:20261224", "PRIORITY:1", "CATEGORIES:a,b", "X-HARNESS:kept"))
            desktop.shows("made by evolution")
            until(lambda: self.server.titles(self.path), ["made by evolution"])
            text = self.only()[1]
            assert property_of(text, "SUMMARY") == "made by evolution" and property_of(text, "DUE") == "20261224", text
            assert property_of(text, "X-HARNESS") == "kept" and re.findall("^CATEGORIES:(.*?)\r?$", text, re.M) in (["a,b"], ["a", "b"]), text
            if self.server.ours:
                assert [task["labels"] for task in self.server.call("GET", "/tasks/")["tasks"] if task["title"] == "made by evolution"] == [["a", "b"]]

    def edit(self):
        self.seed("first", "X-HARNESS:kept")
        with self.opened() as desktop:
            desktop.shows("first")
            desktop.modify(desktop.task("first").replace("first", "second"))
            name, text = self.only()
            assert property_of(text, "SUMMARY") == "second" and property_of(text, "X-HARNESS") == "kept", text
            self.server.put(self.path + name, text.replace("second", "third"))
            desktop.shows("third")
            desktop.modify(desktop.task("third").replace("third", "fourth"))
            assert self.server.titles(self.path) == ["fourth"]

    def complete(self):
        uid = self.seed("to do")
        with self.opened() as desktop:
            desktop.shows("to do")
            desktop.complete(uid)
            assert is_done(self.only()[1]), self.only()

    def repeat(self):
        """Evolution moves the date on by itself; Endeavour completes the task, and leaves the rest to the server."""
        uid = self.seed("weekly", *REPEATING)
        with self.opened() as desktop:
            desktop.shows("weekly")
            desktop.complete(uid)
            text = self.only()[1]
            assert not is_done(text) and property_of(text, "DUE") > "20261101" and property_of(text, "RRULE") == "FREQ=WEEKLY", text
            desktop.modify(completed(desktop.task("weekly")))
            self.check_repeated()
            desktop.refresh()
            until(lambda: is_done(desktop.task("weekly")), not self.server.ours)

    def delete(self):
        self.seed("stays")
        one, two = self.seed("one"), self.seed("two")
        with self.opened() as desktop:
            desktop.shows("stays", "one", "two")
            desktop.remove(one)
            assert self.server.titles(self.path) == ["stays", "two"]
            self.server.request("DELETE", f"{self.path}{two}.ics")
            desktop.shows("stays")

    def share(self):
        self.seed("shared")
        editor, viewer = self.server.share(self.path, "editor"), self.server.share(self.path, "viewer")
        with self.opened(editor, "editor") as desktop:
            desktop.shows("shared")
            assert not desktop.readonly()
            desktop.modify(desktop.task("shared").replace("shared", "by the editor"))
        with self.opened(viewer, "viewer") as desktop:
            desktop.shows("by the editor")
            until(desktop.readonly, True)
            self.refused(desktop.modify, desktop.task("by the editor").replace("editor", "viewer"))
            self.refused(desktop.create, vtodo("by the viewer"))
        assert self.server.titles(self.path) == ["by the editor"]

    def refused(self, call, *arguments):
        try:
            call(*arguments)
        except Refused as refusal:
            return str(refusal)
        raise AssertionError("it was not refused")

    def conflict(self):
        """What was changed on both sides while the line was cut stays as the server has it; all else arrives."""
        uid, free = self.seed("before"), self.seed("free")
        there = todo("there", uid=uid)[0], todo("there again", uid=uid)[0]
        with Line(self.server) as line:
            with self.opened(line.server) as desktop:
                desktop.shows("before", "free")
                self.server.put(f"{self.path}{uid}.ics", there[0])
                said = self.refused(desktop.modify, desktop.task("before").replace("before", "here"), "CONFLICT_FAIL")
                assert "out of sync" in said and self.server.titles(self.path) == ["free", "there"], said
                desktop.shows("free", "there")
            line.cut()
            with self.desktop(line.server) as desktop:
                desktop.open(self.path, False)
                desktop.modify(desktop.task("there").replace("there", "here"))
                desktop.modify(desktop.task("free").replace("free", "changed"))
                desktop.create(vtodo("new"))
                self.server.put(f"{self.path}{uid}.ics", there[1])
                assert desktop.titles() == ["changed", "here", "new"] and self.server.titles(self.path) == ["free", "there again"]
                line.mend()
                desktop.shows("changed", "new", "there again")
                assert desktop.titles() == self.server.titles(self.path)

    def many(self):
        """400 tasks, both ways."""
        half = 20 if self.server.kind == "xandikos" else 200
        titles = [f"{side} {number}" for side in ("local", "remote") for number in range(half)]
        for title in titles[half:]:
            self.seed(title)
        with self.opened() as desktop:
            desktop.create(*map(vtodo, titles[:half]))
            desktop.shows(*titles)
        assert self.server.titles(self.path) == sorted(titles)
