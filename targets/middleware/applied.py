"""An app with a middleware around it: what a suite's ``middleware`` names is called with the app.

Stands alone: it is copied under a name of its own beside a server under test, in whose environment only the
standard library is sure to be there (Python 3.8 or newer), and is served as ``NAME:app``. APP_VARIABLE names
the real app, MIDDLEWARE_VARIABLE the callable. INSIDE_VARIABLE names modules, separated by spaces, whose
parts belong between the two, the innermost first: each has an ``around(app)`` that returns a WSGI app, and an
``in_flask(app)`` that registers the same with a Flask app.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType
    from typing import Any

APP_VARIABLE = "STREAMGAUGE_MIDDLEWARE_APP"
MIDDLEWARE_VARIABLE = "STREAMGAUGE_MIDDLEWARE"
INSIDE_VARIABLE = "STREAMGAUGE_MIDDLEWARE_INSIDE"


def applied(app: Any, middleware: Callable[[Any], Any], inside: Sequence[ModuleType]) -> Any:
    """What the middleware makes of the app. Raises TypeError where that is no app.

    Some middleware is no wrapper but a function that Flask calls with each response, so that it needs the
    Flask app itself. There the parts inside are such functions too. Flask calls the one that was registered
    last first: they have the response before any other of the app's has.
    """
    flask = sys.modules.get("flask")
    if flask is not None and isinstance(app, flask.Flask):
        made = middleware(app)
        for part in reversed(inside):
            part.in_flask(app)
    else:
        for part in inside:
            app = part.around(app)
        made = middleware(app)
    if not callable(made):
        raise TypeError(
            f"the middleware {os.environ.get(MIDDLEWARE_VARIABLE)} returned {made!r}, which is no app; it is "
            "called with the app, and has to return the one to be served"
        )
    return made


def _imported(name: str) -> Any:
    module, _, path = name.partition(":")
    path, is_factory, _ = path.partition("()")
    found: Any = importlib.import_module(module)
    for attribute in path.split("."):
        if not hasattr(found, attribute):
            # no AttributeError: a server would take it for one about the name that it asked for
            raise LookupError(f"there is no {name}: {module} has no {path}; correct the suite, or write it")
        found = getattr(found, attribute)
    return found() if is_factory else found


def __getattr__(name: str) -> Any:
    """``app``: the middleware around the app that the environment names, made when it is first asked for."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    app = _imported(os.environ[APP_VARIABLE])
    middleware = _imported(os.environ[MIDDLEWARE_VARIABLE])
    inside = [importlib.import_module(part) for part in os.environ.get(INSIDE_VARIABLE, "").split()]
    made = globals()["app"] = applied(app, middleware, inside)
    return made
