"""Apps, a server and a proxy that hold streams back, each in its own way, and some that do not.

Names say nothing of what a breaker does: the doctor has to see it.
"""

from __future__ import annotations

from pathlib import Path

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

#: After `from shop import made`.
AFTER_REQUEST = {
    "etag": """
@app.after_request
def tag(response):
    response.add_etag()
    return response
""",
    "unheard_of": """
@app.after_request
def zxqv(response):
    body = response.get_data()
    response.headers["X-Length"] = str(len(body))
    return response
""",
    "blueprint": """
from flask import Blueprint, Response
from shop import rows
kiosk = Blueprint("kiosk", __name__)
@kiosk.get("/kiosk")
def sold():
    return Response(rows(), mimetype="text/csv")
@kiosk.after_request
def count(response):
    response.headers["X-Count"] = str(len(response.data))
    return response
app.register_blueprint(kiosk)
""",
    **{
        f"compress_{name}": f"""
from flask_compress import Compress
app.config["COMPRESS_ALGORITHM"] = ["{name}"]
app.config["COMPRESS_MIMETYPES"] = ["text/csv"]
Compress(app)
"""
        for name in ("gzip", "deflate", "br", "zstd")
    },
}

MIDDLEWARE = {
    "profiler": """
import io
from werkzeug.middleware.profiler import ProfilerMiddleware
app.wsgi_app = ProfilerMiddleware(app.wsgi_app, stream=io.StringIO())
""",
    "class": """
class Wq7:
    def __init__(self, application):
        self.zz = {"inner": application}
    def __call__(self, environ, start_response):
        pieces = self.zz["inner"](environ, start_response)
        return [b"".join(pieces)]
app.wsgi_app = Wq7(app.wsgi_app)
""",
    "closure": """
def wq8(application):
    def answer(environ, start_response):
        kept = []
        for piece in application(environ, start_response):
            kept.append(piece)
        yield b"".join(kept)
    return answer
app = wq8(app)
""",
    "some": """
class Wq9:
    def __init__(self, application):
        self.application = application
    def __call__(self, environ, start_response):
        kept = b""
        for piece in self.application(environ, start_response):
            kept += piece
            if len(kept) > 2000:
                yield kept
                kept = b""
        yield kept
app = Wq9(app)
""",
}

#: More shapes in which a middleware keeps its application, or is called.
SHAPES = {
    "partial": """
from functools import partial
def wq1(application, environ, start_response):
    return [b"".join(application(environ, start_response))]
app = partial(wq1, app)
""",
    "variadic": """
def wq2(application):
    def answer(*given, **named):
        return [b"".join(application(*given, **named))]
    return answer
app.wsgi_app = wq2(app.wsgi_app)
""",
    "slots": """
class Wq3:
    __slots__ = ("__inner",)
    def __init__(self, application):
        self.__inner = application
    def __call__(self, environ, start_response):
        return [b"".join(self.__inner(environ, start_response))]
app = Wq3(app)
""",
    "tuple": """
class Wq4:
    def __init__(self, application):
        self.all = {"a": [("b", application)]}
    def __call__(self, environ, start_response):
        return [b"".join(self.all["a"][0][1](environ, start_response))]
app = Wq4(app)
""",
    "keywords": """
class Wq5:
    def __init__(self, application):
        self.application = application
    def __call__(self, environ, start_response):
        return [b"".join(self.application(environ=environ, start_response=start_response))]
app = Wq5(app)
""",
    "thread": """
from threading import Thread
class Wq6:
    def __init__(self, application):
        self.application = application
    def __call__(self, environ, start_response):
        found = []
        one = Thread(target=lambda: found.append(b"".join(self.application(environ, start_response))))
        one.start()
        one.join()
        return found
app = Wq6(app)
""",
    "lazy": """
import sys
inner = app
class Wq0:
    def __call__(self, environ, start_response):
        return [b"".join(getattr(sys.modules[__name__], "in" + "ner")(environ, start_response))]
app = Wq0()
""",
    "process_response": """
class Held(type(app)):
    def process_response(self, response):
        response = super().process_response(response)
        response.get_data()
        return response
app.__class__ = Held
""",
    "response_class": """
from flask import Response
from shop import rows
class Held(Response):
    def get_app_iter(self, environ):
        return [b"".join(super().get_app_iter(environ))]
app.response_class = Held
app.view_functions["streamed"] = lambda: Held(rows(), mimetype="text/csv")
""",
    "redacting": """
import json
class Redacting:
    def __init__(self, application):
        self.application = application
    def __call__(self, environ, start_response):
        for piece in self.application(environ, start_response):
            found = json.loads(piece)
            found.pop("secret")
            yield json.dumps(found).encode() + b"\\n"
app.wsgi_app = Redacting(app.wsgi_app)
""",
    "skipping": """
class Skipping:
    def __init__(self, application):
        self.application = application
    def __call__(self, environ, start_response):
        for piece in self.application(environ, start_response):
            if b"secret" in piece and b'"n": 3,' not in piece:
                yield piece
app.wsgi_app = Skipping(app.wsgi_app)
""",
}

HEALTHY_MIDDLEWARE = """
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.middleware.dispatcher import DispatcherMiddleware

class Passing:
    def __init__(self, application):
        self.application = application
    def __call__(self, environ, start_response):
        for piece in self.application(environ, start_response):
            yield piece

@app.after_request
def named(response):
    response.headers["X-Shop"] = "yes"
    return response

app.wsgi_app = ProxyFix(Passing(app.wsgi_app))
app = DispatcherMiddleware(app, {})
"""

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

DJANGO = """
import time
from django.conf import settings
settings.configure(
    SECRET_KEY="x", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"],
    MIDDLEWARE=[f"{{__name__}}.Plain", {middleware} f"{{__name__}}.passing"],
)
import django
django.setup()
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import path

class Plain:
    def __init__(self, get_response):
        self.get_response = get_response
    def __call__(self, request):
        return self.get_response(request)

def passing(get_response):
    def answer(request):
        return get_response(request)
    return answer

class Vx1:
    def __init__(self, get_response):
        self.get_response = get_response
    def __call__(self, request):
        response = self.get_response(request)
        return HttpResponse(b"".join(response), content_type=response["Content-Type"])

class Vx2:
    def __init__(self, get_response):
        self.what_comes = get_response
    def __call__(self, request):
        response = self.what_comes(request)
        return HttpResponse(b"".join(response), content_type=response["Content-Type"])

def vx3(following):
    def answer(request):
        response = following(request)
        return HttpResponse(b"".join(response), content_type=response["Content-Type"])
    return answer

def rows():
    for number in range(200):
        time.sleep(0.0005)
        yield f"{{number}},{{number * 7919 % 104729}}\\r\\n" * 8

def streamed(request):
    return StreamingHttpResponse(rows(), content_type="text/csv")

def whole(request):
    return HttpResponse("".join(rows()), content_type="text/csv")

urlpatterns = [path("rows", streamed), path("whole", whole)]
application = get_wsgi_application()
"""

#: What stands between the two healthy middlewares of a Django site.
SITES = {
    "plain": "",
    "gzip": '"django.middleware.gzip.GZipMiddleware",',
    "class": 'f"{__name__}.Vx1",',
    "renamed": 'f"{__name__}.Vx2",',
    "function": 'f"{__name__}.vx3",',
}

#: A response that says how it wants to go through nginx, and one that takes longer than a worker may.
ACCEL = """
from shop import made
app = made()
@app.after_request
def accel(response):
    response.headers["X-Accel-Buffering"] = "no"
    return response
"""
SLOW = """
import time
from flask import Flask, Response
app = Flask(__name__)
@app.get("/")
def home():
    return "ok"
@app.get("/rows")
def rows():
    def stream():
        for number in range(12):
            time.sleep(0.2)
            yield f"{number}\\r\\n" * 100
    return Response(stream(), mimetype="text/csv")
"""

PLAIN = """
import sys, time
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/csv")])
    for number in range(50):
        time.sleep(0.001)
        yield b"%d\\r\\n" % number * 40
def whole(environ, start_response):
    return [b"".join(app(environ, start_response))]
def suspicious(environ, start_response):
    ours = [name for name in sys.modules if name in ("harness", "targets", "gevent", "locust")]
    assert not ours, ours
    return app(environ, start_response)
async def asynchronous(scope, receive, send): ...
def broken(environ, start_response):
    raise RuntimeError("out of order")
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
