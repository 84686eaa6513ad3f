#!/usr/bin/env python3
"""A to-do list in the terminal.

    python3 todo.py [list]
    python3 todo.py add TITLE
    python3 todo.py tick ID
    python3 todo.py delete ID

It needs Python 3.9 and a server, such as `taskapi dev`. TASKAPI_URL says where that is, TASKAPI_EMAIL
and TASKAPI_PASSWORD who you are; what is missing is asked for.
"""

import getpass
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid


class TaskapiError(Exception):
    """An answer that is no success, in words for the person."""

    def __init__(self, answer):
        super().__init__(answer.get("error") or " ".join(answer.get("errors", {}).values()))
        self.code = answer.get("code")


class Taskapi:
    def __init__(self, url):
        self.url = url.rstrip("/")
        self.token = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.token:
            self.call("POST", "/auth/logout", {"refresh_token": self.refresh})

    def sign_in(self, email, password):
        answer = self.call("POST", "/auth/login", {"email": email, "password": password})
        self.token, self.refresh = answer["access_token"], answer["refresh_token"]

    def call(self, method, path, body=None, tries=4):
        """Sends a request, again if the server is busy or its answer is lost. Thanks to the key, a
        change that is sent again is made once."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        for left in reversed(range(tries)):
            request = urllib.request.Request(self.url + path, data, headers, method=method)
            wait = 1
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code not in (429, 502, 503, 504) or not left:
                    raise TaskapiError(read(error)) from error
                wait = int(error.headers.get("Retry-After") or wait)
            except (OSError, http.client.HTTPException) as error:
                if not left:
                    raise TaskapiError({"error": f"{self.url} can't be reached.", "code": "unreachable"}) from error
            time.sleep(wait)

    def tasks(self):
        """Yields everything that is open, page by page."""
        page, more = 1, True
        while more:
            answer = self.call("GET", f"/tasks/?completed=false&per_page=100&page={page}")
            yield from answer["tasks"]
            page, more = page + 1, answer["pagination"]["has_next"]


def read(error):
    """What an answer that is no success says; a proxy does not speak JSON."""
    try:
        return json.load(error)
    except ValueError:
        return {"error": f"The answer is {error.code} {error.reason}.", "code": "unexpected_answer"}


def run(api, command="list", *rest):
    if command == "list" and not rest:
        for task in api.tasks():
            print(f"{task['id']:>6}  {task['title']}" + (f"  (due {task['due']})" if task["due"] else ""))
    elif command == "add" and rest:
        task = api.call("POST", "/tasks/", {"title": " ".join(rest)})["task"]
        print(f"Added {task['id']}: {task['title']}")
    elif command == "tick" and len(rest) == 1:
        task = api.call("PATCH", f"/tasks/{int(rest[0])}", {"completed": True})["task"]
        print(f"Done: {task['title']}")
    elif command == "delete" and len(rest) == 1:
        api.call("DELETE", f"/tasks/{int(rest[0])}")
        print("Deleted. It is in the trash for 30 days.")
    else:
        sys.exit(__doc__)


def main():
    setting = os.environ.get
    try:
        with Taskapi(setting("TASKAPI_URL", "http://localhost:8000")) as api:
            api.sign_in(
                setting("TASKAPI_EMAIL") or input("E-mail: "),
                setting("TASKAPI_PASSWORD") or getpass.getpass("Password: "),
            )
            run(api, *sys.argv[1:])
    except TaskapiError as error:
        sys.exit(f"todo: {error}")
    except ValueError:
        sys.exit("todo: an id is a number; the list shows it.")


if __name__ == "__main__":
    main()
