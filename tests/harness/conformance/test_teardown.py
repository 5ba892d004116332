"""The order of a streamed Flask response, in-process and, to hold it against that, under a real server."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from harness.conformance.teardown import teardown_orders
from targets.servers import KINDS

#: The same app as a user would write it; what happens is told to a file.
APP = """
from flask import Flask, Response, has_request_context, stream_with_context

app = Flask(__name__)

def tell(event):
    with open({file!r}, "a") as file:
        file.write(event + ("" if has_request_context() or "yield" not in event else ", no request") + "\\n")

@app.teardown_request
def torn_down(error):
    tell("teardown_request")

@app.teardown_appcontext
def app_torn_down(error):
    tell("teardown_appcontext")

@app.get("/")
def ready():
    return "ok"

@app.get("/stream")
def stream():
    def pieces():
        for number in (1, 2, 3):
            tell(f"yield {{number}}")
            yield "piece"
    response = Response(stream_with_context(pieces()))
    response.call_on_close(lambda: tell("call_on_close"))
    return response
"""


def test_with_the_context_each_yield_has_it_and_without_none_has() -> None:
    for order in teardown_orders():
        yields = [event for event in order.events if event.startswith("yield")]
        assert len(yields) == (1 if order.hung_up else 3)
        assert all(("no request" in event) is not order.kept for event in yields)
        assert order.events[-1] == "call_on_close"
        assert order.events[0] == "view returns"


def test_a_real_server_gives_the_same_order(tmp_path: Path) -> None:
    told = tmp_path / "told"
    (tmp_path / "shop.py").write_text(APP.format(file=str(told)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = KINDS["gunicorn"]
    command = server.arguments(
        server.read_options({}), app="shop:app", host="127.0.0.1", port=port, python=sys.executable
    )
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, stderr=log, start_new_session=True)
    try:
        _ask(port, "/", (tmp_path / "log"))
        told.write_text("")
        assert _ask(port, "/stream", (tmp_path / "log")) == b"piece" * 3
        deadline = time.monotonic() + 20
        while "call_on_close" not in told.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        os.killpg(process.pid, 9)
        process.wait(20)
    (expected,) = [order.events for order in teardown_orders() if order.kept and not order.hung_up]
    assert told.read_text().split("\n")[:-1] == [
        event for event in expected if event not in {"view returns", "finally"}
    ]


def _ask(port: int, path: str, log: Path) -> bytes:
    deadline = time.monotonic() + 20
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        finally:
            connection.close()
