"""A CalDAV server as the harness sees it: plain requests, and what it is asked to do."""
import base64
import http.client
import json
import re
import urllib.parse
import uuid


class Server:
    """One account on one server."""

    def __init__(self, kind, url, user="", password="", rest=None):
        self.kind, self.url, self.user, self.password, self.rest = kind, url.rstrip("/") + "/", user, password, rest
        self.ours = kind == "taskapi"
        self.parts = urllib.parse.urlsplit(self.url)

    def request(self, method, path, body=None, **headers):
        """Sends one request and returns (status, headers, text)."""
        if path.startswith("http"):
            path = urllib.parse.urlsplit(path).path
        connection = http.client.HTTPConnection(self.parts.hostname, self.parts.port, timeout=60)
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.user:
            headers["Authorization"] = "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if body is not None:
            headers.setdefault("Content-Type", "text/calendar" if method == "PUT" else "application/xml")
            body = body.encode()
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    def absolute(self, path):
        return urllib.parse.urljoin(self.url, path)

    def property(self, path, name, namespace="DAV:"):
        status, answer, text = self.request("PROPFIND", path, f'<propfind xmlns="DAV:"><prop><x:{name} xmlns:x="{namespace}"/></prop></propfind>', Depth="0")
        if status in (301, 302, 307, 308):
            return self.property(answer["Location"], name, namespace)
        found = re.search(rf"<(?:\w+:)?{name}\b[^>]*>(.*?)</(?:\w+:)?{name}>", text, re.S)
        return found and re.sub(r"\s*<[^>]*>\s*", "", found[1]) or ""

    def home(self):
        principal = self.property(self.parts.path, "current-user-principal")
        assert principal, "no current-user-principal"
        home = self.property(principal, "calendar-home-set", "urn:ietf:params:xml:ns:caldav")
        assert home, "no calendar-home-set"
        return home

    def make(self):
        """Makes a collection for tasks and returns its path."""
        path = self.home() + str(uuid.uuid4()) + "/"
        status, _, text = self.request("MKCALENDAR", path, MKCALENDAR)
        assert status == 201, (status, text)
        return path

    def remove(self, path):
        self.request("DELETE", path)

    def names(self, path):
        """Returns the names of the objects in a collection with their ETags."""
        _, _, text = self.request("PROPFIND", path, '<propfind xmlns="DAV:"><prop><getetag/></prop></propfind>', Depth="1")
        found = {}
        for answer in re.findall(r"<(?:\w+:)?response\b.*?</(?:\w+:)?response>", text, re.S):
            href = re.search(r"href[^>]*>\s*([^<]+?)\s*<", answer)[1]
            tag = re.search(r"getetag[^>]*>([^<]+)<", answer)
            if tag and href.endswith(".ics"):
                found[urllib.parse.unquote(href.rsplit("/", 1)[1])] = tag[1].replace("&quot;", '"').replace("&#34;", '"')
        return found

    def objects(self, path):
        return {name: self.get(path + urllib.parse.quote(name)) for name in self.names(path)}

    def get(self, path):
        status, _, text = self.request("GET", path)
        assert status == 200, (status, text)
        return text

    def put(self, path, text, **headers):
        status, answer, said = self.request("PUT", path, text, **headers)
        assert status in (200, 201, 204), (status, said)
        return answer.get("ETag")

    def titles(self, path):
        return sorted(property_of(text, "SUMMARY") for text in self.objects(path).values())

    def call(self, method, path, body=None, token=None):
        """Calls the JSON API of taskapi."""
        connection = http.client.HTTPConnection(self.parts.hostname, self.parts.port, timeout=60)
        headers = {"Content-Type": "application/json"}
        if token or self.rest:
            headers["Authorization"] = "Bearer " + (token or self.rest)
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        assert answer.status < 300, (method, path, answer.status, text)
        return json.loads(text) if text else None

    def share(self, path, role):
        """Lets another account into a collection and returns it."""
        other = sign_up(self.url)
        uid = path.rstrip("/").rsplit("/", 1)[1]
        link = self.call("POST", f"/lists/{uid}/invitations", {"role": role})["invitation"]["url"]
        other.call("POST", "/invitations/accept", {"token": link.split("#")[1]})
        return other


def sign_up(url):
    """Makes an account of taskapi with an app password."""
    name = "u" + uuid.uuid4().hex[:12]
    server = Server("taskapi", url, name)
    sign_in = {"username": name, "email": name + "@example.com", "password": "correct horse battery", "confirm_password": "correct horse battery"}
    server.call("POST", "/auth/register", sign_in)
    server.rest = server.call("POST", "/auth/login", {"email": sign_in["email"], "password": sign_in["password"]})["access_token"]
    token = server.call("POST", "/auth/tokens", {"name": "calendar", "scopes": ["tasks:read", "tasks:write"]})
    server.password = next(value for value in walk(token) if isinstance(value, str) and value.startswith("tapi_"))
    return server


def walk(value):
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(inner)


def unfold(text):
    return re.sub(r"\r?\n[ \t]", "", text)


def property_of(text, name):
    """Returns the value of the first property of the VTODO, or None."""
    inside = unfold(text)
    inside = inside[inside.find("BEGIN:VTODO"):]
    found = re.search(rf'^{name}(?:;(?:[^":\r\n]|"[^"\r\n]*")*)?:(.*?)\r?$', inside, re.M)
    return found and found[1]


def todo(title, *lines, uid=None):
    """Returns a calendar object and its UID."""
    uid = uid or str(uuid.uuid4())
    text = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//harness//EN", "BEGIN:VTODO", "UID:" + uid, "DTSTAMP:20261101T080000Z",
            "SUMMARY:" + title, *lines, "END:VTODO", "END:VCALENDAR", ""]
    return "\r\n".join(text), uid


MKCALENDAR = """<?xml version="1.0" encoding="utf-8"?>
<C:mkcalendar xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><set><prop><displayname>Harness</displayname>
<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set></prop></set></C:mkcalendar>"""
