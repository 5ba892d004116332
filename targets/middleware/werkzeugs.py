"""Werkzeug's own middlewares of which Flask's documentation says that they may break streaming.

Stands alone: it is copied under a name of its own beside a server under test, whose environment has Werkzeug.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def profiler(app: Callable[..., Any]) -> Callable[..., Any]:
    """ProfilerMiddleware, which collects the response; what it would print of each request nobody reads."""
    from werkzeug.middleware.profiler import ProfilerMiddleware  # noqa: PLC0415  - of the app's environment

    return ProfilerMiddleware(app, stream=None)


def lint(app: Callable[..., Any]) -> Callable[..., Any]:
    """LintMiddleware, which looks at each piece of the response."""
    from werkzeug.middleware.lint import LintMiddleware  # noqa: PLC0415  - as above

    return LintMiddleware(app)
