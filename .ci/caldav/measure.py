"""Measures a server with 10,000 tasks in one list: measure.py URL PID"""
import datetime
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import clients
from server import sign_up

TASKS = 10_000


def memory(pid, name):
    """Returns a line of /proc/PID/status in MiB."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    raise SystemExit("no " + name)


def main(url, pid):
    server = sign_up(url)
    with tempfile.TemporaryDirectory() as work:
        client = clients.Vdirsyncer(server, pathlib.Path(work))
        uid = client.path.rstrip("/").rsplit("/", 1)[1]
        number = server.call("GET", f"/lists/{uid}")["id"]
        due = datetime.date(2026, 12, 1)
        for begin in range(0, TASKS, 100):
            server.call("POST", "/batch", {"requests": [
                {"method": "POST", "path": "/tasks/", "body": {"title": f"Task {n}", "description": "something to do", "list_id": number, "due": str(due), "labels": ["home"]}}
                for n in range(begin, begin + 100)]})
        pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")  # the highest memory so far, from now on
        before = memory(pid, "VmRSS")
        began = time.monotonic()
        names = server.names(client.path)
        took = time.monotonic() - began
        assert len(names) == TASKS, len(names)
        print(f"PROPFIND depth 1 of {TASKS}: {took:.2f} s, {memory(pid, 'VmHWM') - before:.1f} MiB above {before:.0f} MiB")
        client.configure(server)
        began, cpu, own = time.monotonic(), cpu_of(pid), children()
        client.sync()
        print(f"first sync by vdirsyncer: {time.monotonic() - began:.1f} s, in which vdirsyncer computes {children() - own:.1f} s and the server {cpu_of(pid) - cpu:.1f} s; peak {memory(pid, 'VmHWM'):.0f} MiB")
        assert len(client.local()) == TASKS, len(client.local())


def children():
    """Returns the processor time of the programs that were run, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def cpu_of(pid):
    """Returns the processor time of a process in seconds."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


main(sys.argv[1], int(sys.argv[2]))
