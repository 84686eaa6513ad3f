"""Runs in a session bus of its own and drives evolution-data-server: reads calls, one JSON line each, and answers so."""
import json
import sys
import threading
import time
import urllib.parse

import gi

gi.require_version("EDataServer", "1.2")
gi.require_version("ECal", "2.0")
from gi.repository import ECal, EDataServer, GLib, ICalGLib  # noqa: E402

PATIENCE = 20  # seconds for whatever the library does behind one's back
CONNECTED = EDataServer.SourceConnectionStatus.CONNECTED


def until(done):
    """Lets the library work until something is so; returns whether it came to be."""
    end = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > end:
            return False
        while GLib.MainContext.default().iteration(False):
            pass
        time.sleep(0.02)
    return True


class Desktop:
    """What a desktop program does with an account and one list in it."""

    def __init__(self, url, user, password):
        self.url, self.parts, self.user = url, urllib.parse.urlsplit(url), user
        self.credentials = EDataServer.NamedParameters.new()
        self.credentials.set(EDataServer.SOURCE_CREDENTIAL_USERNAME, user)
        self.credentials.set(EDataServer.SOURCE_CREDENTIAL_PASSWORD, password)
        self.answered = {}
        self.registry = EDataServer.SourceRegistry.new_sync(None)
        self.registry.connect("credentials-required", self.sign_in)

    def sign_in(self, _, source, *__):
        """Answers as the password prompt would, for there is no keyring."""
        # The library may ask twice at once, and a second answer would end what the first has begun.
        uid, now = source.get_uid(), time.monotonic()
        if now - self.answered.get(uid, 0) > 1:
            self.answered[uid] = now
            source.invoke_authenticate(self.credentials, None, None)
        else:
            GLib.timeout_add(1100, lambda: source.get_connection_status() != CONNECTED and self.sign_in(None, source))

    def source(self, uid, parent, path):
        """Returns what is common to the settings of accounts and lists."""
        source = EDataServer.Source.new_with_uid(uid, None)
        source.set_display_name(uid)
        source.set_parent(parent)
        sign_in = source.get_extension(EDataServer.SOURCE_EXTENSION_AUTHENTICATION)
        sign_in.set_host(self.parts.hostname)
        sign_in.set_port(self.parts.port)
        sign_in.set_user(self.user)
        sign_in.set_method("plain/password")
        source.get_extension(EDataServer.SOURCE_EXTENSION_WEBDAV_BACKEND).set_resource_path(path)
        source.get_extension(EDataServer.SOURCE_EXTENSION_SECURITY).set_secure(False)
        return source

    def discover(self):
        """Looks for lists as Evolution's dialogue for a new one does; returns names by paths."""
        source = self.source("look", "", self.parts.path)
        _, _, _, found, _ = EDataServer.webdav_discover_sources_sync(source, self.url, EDataServer.WebDAVDiscoverSupports.TASKS, self.credentials, None)
        return {urllib.parse.urlsplit(one.href).path: one.display_name for one in found}

    def add_account(self):
        """Adds the whole account, and lets the registry find what is in it."""
        account = self.source("account", "", self.parts.path)
        collection = account.get_extension(EDataServer.SOURCE_EXTENSION_COLLECTION)
        collection.set_backend_name("webdav")
        collection.set_identity(self.user)
        collection.set_calendar_url(self.url)
        collection.set_contacts_enabled(False)
        self.registry.commit_source_sync(account, None)

    def lists(self):
        """Returns the names of the lists of the account by their paths."""
        webdav = EDataServer.SOURCE_EXTENSION_WEBDAV_BACKEND
        return {one.get_extension(webdav).get_resource_path(): one.get_display_name() for one in self.children()}

    def children(self):
        return [one for one in self.registry.list_sources(EDataServer.SOURCE_EXTENSION_TASK_LIST) if one.get_parent() == "account"]

    def webdav(self):
        session = EDataServer.WebDAVSession.new(self.registry.ref_source("account"))
        session.set_credentials(self.credentials)
        return session

    def add_list(self, path, name):
        """Makes a list on the server, as Evolution's WebDAV browser does."""
        self.webdav().mkcalendar_sync(path, name, "made by hand", "#336699", EDataServer.WebDAVResourceSupports.TASKS, None)
        self.registry.refresh_backend_sync("account", None)

    def drop_list(self, path):
        self.webdav().delete_sync(path, None, None, None)
        self.registry.refresh_backend_sync("account", None)

    def open(self, path, online=True):
        """Opens a list; returns whether it can only be read."""
        source = self.registry.ref_source("list")
        if source is None:
            source = self.source("list", "caldav-stub", path)
            source.get_extension(EDataServer.SOURCE_EXTENSION_TASK_LIST).set_backend_name("caldav")
            source.get_extension(EDataServer.SOURCE_EXTENSION_OFFLINE).set_stay_synchronized(True)
            source.get_extension(EDataServer.SOURCE_EXTENSION_REFRESH).set_enabled(False)
            self.registry.commit_source_sync(source, None)
            source = self.registry.ref_source("list")
        # -1: does not wait, since the password is asked for meanwhile.
        self.client = ECal.Client.connect_sync(source, ECal.ClientSourceType.TASKS, GLib.MAXUINT32, None)
        assert not online or until(lambda: source.get_connection_status() == CONNECTED), "no connection"
        return self.client.is_readonly()

    def refresh(self):
        self.client.refresh_sync(None)

    def readonly(self):
        return self.client.is_readonly()

    def tasks(self):
        """Returns the tasks of the local copy."""
        _, found = self.client.get_object_list_as_comps_sync("#t", None)
        return [one.get_as_string() for one in found]

    def create(self, *texts):
        made = [ICalGLib.Component.new_from_string(text) for text in texts]
        self.client.create_objects_sync(made, ECal.OperationFlags.NONE, None)

    def modify(self, text, flags="NONE"):
        component = ICalGLib.Component.new_from_string(text)
        self.client.modify_object_sync(component, ECal.ObjModType.ALL, getattr(ECal.OperationFlags, flags), None)

    def complete(self, uid):
        """Ticks a task, as Evolution does it."""
        _, component = self.client.get_object_sync(uid, None, None)
        ECal.util_mark_task_complete_sync(component, -1, self.client, None)
        self.client.modify_object_sync(component, ECal.ObjModType.ALL, ECal.OperationFlags.NONE, None)

    def remove(self, uid):
        self.client.remove_object_sync(uid, None, ECal.ObjModType.ALL, ECal.OperationFlags.NONE, None)


def answer(desktop, line, answers):
    name, *arguments = json.loads(line)
    try:
        said = {"value": getattr(desktop, name)(*arguments)}
    except (GLib.Error, AssertionError) as error:
        said = {"error": str(error)}
    print(json.dumps(said), file=answers, flush=True)


def main():
    desktop, loop = Desktop(*sys.argv[2:]), GLib.MainLoop()
    answers = open(int(sys.argv[1]), "w")  # not the standard output, which the services share

    def read():
        # In a thread, so that the library can always ask for the password.
        for line in sys.stdin:
            GLib.idle_add(answer, desktop, line, answers)
        GLib.idle_add(loop.quit)

    threading.Thread(target=read, daemon=True).start()
    loop.run()


if __name__ == "__main__":
    main()
