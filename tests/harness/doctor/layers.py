"""What holds streams back around a Flask app, each in its own way, and what does not."""

from __future__ import annotations

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
