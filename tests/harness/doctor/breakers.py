"""Apps, a server and a proxy that hold streams back, each in its own way, and some that do not.

Names say nothing of what a breaker does: the doctor has to see it.
"""

from __future__ import annotations

from pathlib import Path

from tests.harness.doctor.layers import AFTER_REQUEST, HEALTHY_MIDDLEWARE, MIDDLEWARE, SHAPES
from tests.harness.doctor.sites import ACCEL, DJANGO, PLAIN, SITES, SLOW

#: 200 rows, half a millisecond apart: long enough to be judged, and more than any buffer on the way holds.
FLASK = """
import time
from flask import Flask, Response, stream_template

def rows(count=200):
    for number in range(count):
        time.sleep(0.0005)
        yield f"{number},{number * 7919 % 104729},{number * 104729 % 7919}\\r\\n" * 8

def made(name="app"):
    app = Flask(name, template_folder=__file__.rpartition("/")[0] + "/templates")

    @app.get("/rows")
    def streamed():
        return Response(rows(), mimetype="text/csv")

    @app.get("/whole")
    def whole():
        return Response("".join(rows()), mimetype="text/csv")

    @app.get("/listed")
    def listed():
        return Response(list(rows()), mimetype="text/csv")

    @app.get("/early")
    def early():
        def stream():
            yield ""
            everything = list(rows())
            yield from everything
        return Response(stream(), mimetype="text/csv")

    @app.get("/joined")
    def joined():
        def stream():
            yield "n,a,b\\r\\n"
            yield "".join(rows())
        return Response(stream(), mimetype="text/csv")

    @app.get("/raises")
    def raises():
        def stream():
            for number, row in enumerate(rows()):
                if number == 100:
                    raise RuntimeError("no more rows")
                yield row
        return Response(stream(), mimetype="text/csv")

    @app.get("/endless")
    def endless():
        def stream():
            while True:
                yield "data: tick\\n\\n"
                time.sleep(0.05)
        return Response(stream(), mimetype="text/event-stream")

    @app.get("/small")
    def small():
        return Response(iter(["a,b\\r\\n"]), mimetype="text/csv")

    @app.get("/objects")
    def objects():
        def stream():
            for number in range(200):
                time.sleep(0.0005)
                yield '{"n": %d, "secret": "x", "of": "%s"}\\n' % (number, "y" * 40)
        return Response(stream(), mimetype="application/x-ndjson")

    @app.get("/empty")
    def empty():
        return Response(iter(()), mimetype="text/csv")

    @app.get("/silent")
    def silent():
        def stream():
            time.sleep(3)
            yield "late"
        return Response(stream(), mimetype="text/csv")

    @app.get("/raises_at_once")
    def raises_at_once():
        def stream():
            raise RuntimeError("no rows at all")
            yield ""
        return Response(stream(), mimetype="text/csv")

    @app.get("/page/<name>")
    def page(name):
        rows = (number for number in range(2000))
        tags = (tag for tag in "abcdefghij")
        return Response(stream_template(f"{name}.html", rows=rows, listed=list(range(500)), tags=tags))

    return app

app = made()
"""

#: Each with a loop over rows that come one by one; `fine` and `sorted` hand them on.
TEMPLATES = {
    "fine": "<table><tbody>{% for row in rows %}<tr><td>{{ row }}</td></tr>{% endfor %}</tbody></table>",
    "sorted": "<table><tbody>{% for row in listed|sort %}<tr><td>{{ row }}</td></tr>{% endfor %}</table>",
    "block": "{% extends 'base.html' %}{% block body %}"
    "{% for row in rows %}<p>{{ row }}</p>{% endfor %}"
    "{% endblock %}",
    "some": "<html>{% for row in rows if row % 100 == 0 %}<p>{{ row }}{{ 'x' * 300 }}</p>{% endfor %}</html>",
    "batched": "<html>{% for some in rows|batch(50) %}<p>{{ some }}</p>{% endfor %}</html>",
    "prelude": "<html>{{ tags|join(', ') }}{% for row in rows %}<p>{{ row }}</p>{% endfor %}</html>",
    "macros": "{% macro menu(rows) %}{% for row in rows %}<li>{{ row }}</li>{% endfor %}{% endmacro %}",
    "imported": "{% from 'macros.html' import menu %}<html>{{ menu([1, 2]) }}"
    "{% for row in rows %}<p>{{ row }}</p>{% endfor %}</html>",
    "row_macro": "{% from 'macros.html' import menu %}<html>"
    "{% for row in rows %}<p>{{ row }}{{ menu([1, 2]) }}</p>{% endfor %}</html>",
    "row_set": "<html>{% for row in rows %}{% set all %}{% for one in [1, 2] %}{{ one }}{% endfor %}"
    "{% endset %}<p>{{ row }}{{ all }}</p>{% endfor %}</html>",
    "base": "<html>{% block body %}{% endblock %}</html>",
    "set": "{% set all %}{% for row in rows %}<p>{{ row }}</p>{% endfor %}{% endset %}<html>{{ all }}</html>",
    "filter": "<html>{% filter trim %}{% for row in rows %}<p>{{ row }}</p>{% endfor %}{% endfilter %}"
    "</html>",
    "macro": "{% macro table(rows) %}{% for row in rows %}<p>{{ row }}</p>{% endfor %}{% endmacro %}"
    "<html>{{ table(rows) }}</html>",
    "call": "{% macro box() %}<b>{{ caller() }}</b>{% endmacro %}<html>"
    "{% call box() %}{% for row in rows %}<p>{{ row }}</p>{% endfor %}{% endcall %}</html>",
    "length": "{% from 'macros.html' import menu %}<html>"
    "{% for row in rows %}<p>{{ row }} of {{ loop.length }}{{ menu([1]) }}</p>{% endfor %}</html>",
    "sorts": "<html>{% for row in rows|sort %}<p>{{ row }}</p>{% endfor %}</html>",
    "below": "<html>{% block body %}{% for row in rows %}<p>{{ row }}</p>{% endfor %}{% endblock %}</html>",
    "super": "{% extends 'below.html' %}{% block body %}{{ super() }}{% endblock %}",
    "recursive": "<html>{% for row in rows recursive %}<p>{{ row }}</p>{% endfor %}</html>",
}

#: A server with a stranger's name that collects what it sends; `{bind}` and the app are its words.
SERVER = """
import importlib, sys
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server
sys.path.insert(0, str(Path.cwd()))
module, _, name = sys.argv[2].partition(":")
app = getattr(importlib.import_module(module), name)
class Quiet(WSGIRequestHandler):
    def log_message(self, *_): pass
def all_at_once(environ, start_response):
    body = app(environ, start_response)
    try:
        return [b"".join(body)]
    finally:
        close = getattr(body, "close", None)
        if close: close()
host, _, port = sys.argv[1].partition(":")
serve = all_at_once if sys.argv[3] == "hold" else app
make_server(host, int(port), serve, handler_class=Quiet).serve_forever()
"""

#: A proxy with a stranger's name that reads the response to its end before it passes it on.
PROXY = """
import socket, sys, threading
host, _, port = sys.argv[1].partition(":")
up_host, _, up_port = sys.argv[2].partition(":")
def pass_on(client):
    with client, socket.create_connection((up_host, int(up_port))) as server:
        server.sendall(client.recv(65536))
        kept = b""
        while data := server.recv(65536):
            if sys.argv[3] == "hold": kept += data
            else: client.sendall(data)
        client.sendall(kept)
with socket.create_server((host, int(port))) as listener:
    while True:
        threading.Thread(target=pass_on, args=(listener.accept()[0],), daemon=True).start()
"""


def lay_out(folder: Path) -> Path:
    """Write the modules: ``shop`` is the healthy app, the others bear the name of their breaker."""
    (folder / "templates").mkdir()
    for name, text in TEMPLATES.items():
        (folder / "templates" / f"{name}.html").write_text(text)
    (folder / "shop.py").write_text(FLASK)
    others = {**AFTER_REQUEST, **MIDDLEWARE, **SHAPES, "healthy": HEALTHY_MIDDLEWARE}
    for name, text in others.items():
        (folder / f"with_{name}.py").write_text(f"from shop import made\napp = made()\n{text}")
    for name, middleware in SITES.items():
        (folder / f"site_{name}.py").write_text(DJANGO.format(middleware=middleware))
    (folder / "plain.py").write_text(PLAIN)
    for name, text in {"accel": ACCEL, "slow": SLOW}.items():
        (folder / f"{name}.py").write_text(text)
    (folder / "server.py").write_text(SERVER)
    (folder / "proxy.py").write_text(PROXY)
    return folder
