"""Runs every client against one server and prints a table; exits with 1 if a cell fails."""
import os
import pathlib
import sys
import tempfile
import traceback

import clients
from evolution import Evolution
from server import Server, sign_up

CELLS = ["discover", "read", "create", "edit", "complete", "repeat", "delete", "share", "conflict"]
EXTRA = ["many", "kept"]
CLIENTS = [clients.Vdirsyncer, clients.Todoman, clients.PythonCaldav, clients.Tsdav, clients.Cadaver, Evolution]


def cell(kind, step, server, work):
    """Runs one cell and returns what the table says, with the reason of a failure."""
    if getattr(kind, step, None) is None or step == "share" and not server.ours:
        return "-", ""
    client = None
    try:
        client = kind(server, work)
        getattr(client, step)()
        return "ok", ""
    except Exception:  # whatever a client throws is a failure of its cell
        return "FAILED", traceback.format_exc()
    finally:
        if client is not None:
            server.remove(client.path)


def main(kind, url, only):
    server = sign_up(url) if kind == "taskapi" else Server(kind, url, os.environ.get("CALDAV_USER", ""), os.environ.get("CALDAV_PASSWORD", ""))
    passed = failed = 0
    print(f"{kind:14}" + "".join(f"{step:>10}" for step in CELLS + EXTRA), flush=True)
    with tempfile.TemporaryDirectory() as work:
        for client in CLIENTS:
            said, reasons = [], []
            for step in CELLS + EXTRA:
                if only and f"{client.__name__}.{step}" not in only and client.__name__ not in only:
                    said.append("")
                    continue
                result, reason = cell(client, step, server, pathlib.Path(work))
                said.append(result)
                passed, failed = passed + (result == "ok"), failed + (result == "FAILED")
                if reason:
                    reasons.append(f"--- {client.__name__}.{step}\n{reason[-3000:]}")
            print(f"{client.__name__:14}" + "".join(f"{word:>10}" for word in said), *reasons, sep="\n" if reasons else "", flush=True)
    print(f"{passed} passed, {failed} failed")
    return failed > 0 or passed == 0



if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
