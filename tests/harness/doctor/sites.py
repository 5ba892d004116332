"""Django sites, plain WSGI apps, and Flask apps that need a module of their own."""

from __future__ import annotations

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
