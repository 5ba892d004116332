"""The apps for which `init` writes a suite."""

from __future__ import annotations

APP = """
import itertools, time
from urllib.parse import parse_qs

count = itertools.count()

def app(environ, start_response):
    asked = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
    path = environ["PATH_INFO"]
    if path == "/":
        start_response("200 OK", [])
        return [b"ready"]
    if path == "/broken":
        raise RuntimeError("no such order book")
    if path not in ("/whole", "/rows", "/slow", "/clock", "/forever") or "HTTP_X_TOKEN" not in environ:
        start_response("404 Not Found" if "HTTP_X_TOKEN" in environ else "403 Forbidden", [])
        return [b"no"]
    lines = [b"%05d,a customer,12\\n" % number for number in range(int(asked.get("total", 800)))]
    if path == "/clock":
        lines[-1] = b"%019d\\n" % next(count)
    if path == "/whole":
        start_response("200 OK", [("Content-Type", "text/csv"), ("Content-Length", str(20 * len(lines)))])
        return [b"".join(lines)]
    start_response("200 OK", [("Content-Type", "text/csv")])
    if path == "/forever":
        open("asked", "w").close()
        return (time.sleep(0.05) or b"more" for _ in count)
    if path == "/slow":
        time.sleep(0.3)
    at_once = int(asked.get("rows", 100))
    return (b"".join(lines[at:at + at_once]) for at in range(0, len(lines), at_once))
"""

READY_MADE = """
import http.server, sys, time

BODY = b"a" * 200_000

def chunked(size):
    chunks = [b"%x\\r\\n%s\\r\\n" % (size, BODY[at:at + size]) for at in range(0, len(BODY), size)]
    return b"".join([*chunks, b"0\\r\\n\\r\\n"])

CHUNKED = {size: chunked(size) for size in (1, 50_000)}

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        time.sleep(0 if self.path == "/in/1" else 0.004)
        self.send_response(200)
        if self.path.startswith("/in/"):
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(CHUNKED[int(self.path[4:])])
        else:
            body = BODY if self.path == "/whole" else b"ready"
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_):
        pass

host, _, port = sys.argv[1].partition(":")
http.server.ThreadingHTTPServer((host, int(port)), Handler).serve_forever()
"""

FACTORY = """
from flask import Flask

def create_app():
    app = Flask(__name__)
    lines = [b"%05d,a customer,12\\n" % number for number in range(800)]

    @app.get("/health")
    def health():
        return "ok"

    @app.get("/rows")
    def rows():
        return (b"".join(lines[at : at + 100]) for at in range(0, 800, 100)), {"Content-Type": "text/csv"}

    return app
"""
