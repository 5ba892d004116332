"""Locust's own web UI beside the load, to look at: nothing in it may start, stop or reset anything.

Importing this module imports Locust: only the driver may do it.
"""

from __future__ import annotations

import gevent
from flask import Response, request
from locust.env import Environment

from scenarios.specification import WEB_UI_HOST

_LOOKS = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED = (
    "This page shows a load that streamgauge conducts: it cannot be started, stopped or changed here. "
    "Press Ctrl-C where streamgauge runs.\n"
)


def show(environment: Environment, port: int) -> None:
    """Serve the web UI until the process ends. Raises OSError when the port cannot be had."""
    ui = environment.create_web_ui(WEB_UI_HOST, port, delayed_start=True)
    assert ui.app is not None  # noqa: S101  - made with the web UI

    @ui.app.before_request
    def refuse_changes() -> Response | None:
        return None if request.method in _LOOKS else Response(_REFUSED, 403, mimetype="text/plain")

    ui.start()  # type: ignore[no-untyped-call]
    while ui.server is None or not ui.server.started:
        if ui.greenlet is None or ui.greenlet.ready():
            raise OSError(f"Locust's web UI cannot be served on {WEB_UI_HOST}:{port}")
        gevent.sleep(0.01)
