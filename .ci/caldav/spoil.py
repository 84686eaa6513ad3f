"""A proxy that loses lines and ignores conditions: spoil.py PORT UPSTREAM"""
import http.client
import http.server
import re
import sys


class Spoil(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.command == "PUT":
            body = re.sub(rb"X-[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", b"", body)
        upstream = http.client.HTTPConnection("127.0.0.1", int(sys.argv[2]))
        kept = {k: v for k, v in self.headers.items() if k.lower() not in ("if-match", "if-none-match", "content-length")}
        upstream.request(self.command, self.path, body, kept)
        answer = upstream.getresponse()
        text = answer.read()
        upstream.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_HEAD = do_PUT = do_DELETE = do_OPTIONS = do_PROPFIND = do_PROPPATCH = do_REPORT = do_MKCALENDAR = do_MKCOL = any

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Spoil).serve_forever()
