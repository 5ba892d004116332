"""What works on Flask's responses before they are sent: an ETag, and Flask-Compress with one algorithm.

Stands alone: it is copied under a name of its own beside a server under test, whose environment has Flask.
Flask calls what was registered last first: these come before what the app itself has registered.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

#: What streams. Flask-Compress leaves out those that it does not know, text/csv among them.
_TYPES = (
    "text/csv",
    "text/html",
    "text/plain",
    "text/event-stream",
    "application/json",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonl",
    "application/jsonlines",
    "application/x-jsonlines",
    "application/json-seq",
)


class CannotApply(Exception):  # noqa: N818  - named for what happened
    """A middleware that cannot be put around this app; says why, and what to do."""


def etag(app: Any) -> Any:
    """An after_request that gives each response the ETag of its content, which has to be there for that."""
    app = _flask(app, "etag")

    def tagged(response: Any) -> Any:
        response.add_etag()
        return response

    app.after_request(tagged)
    return app


def gzip(app: Any) -> Any:
    """Flask-Compress with gzip, which it does not use for streams unless it is told to."""
    return _compressed(app, "gzip")


def deflate(app: Any) -> Any:
    """Flask-Compress with deflate."""
    return _compressed(app, "deflate")


def br(app: Any) -> Any:
    """Flask-Compress with br."""
    return _compressed(app, "br")


def zstd(app: Any) -> Any:
    """Flask-Compress with zstd."""
    return _compressed(app, "zstd")


def _compressed(app: Any, algorithm: str) -> Any:
    """``COMPRESS_...`` of Flask-Compress 1.25; levels and all else are its own."""
    app = _flask(app, f"compress-{algorithm}")
    try:
        from flask_compress import Compress  # noqa: PLC0415  - of the app's environment
    except ImportError as error:
        raise CannotApply(
            f"compress-{algorithm} is Flask-Compress with {algorithm}, and that cannot be imported where the "
            f"app runs ({error}); install it there: {sys.executable} -m pip install flask-compress"
        ) from error
    app.config["COMPRESS_ALGORITHM"] = [algorithm]
    app.config["COMPRESS_ALGORITHM_STREAMING"] = [algorithm]
    app.config["COMPRESS_STREAMS"] = True
    app.config["COMPRESS_MIN_SIZE"] = 0
    app.config["COMPRESS_MIMETYPES"] = [*app.config.get("COMPRESS_MIMETYPES", ()), *_TYPES]
    Compress(app)
    return app


def _flask(app: Any, name: str) -> Any:
    """The app, if it is Flask's. Nobody who has one has not imported Flask."""
    flask = sys.modules.get("flask")
    if flask is None or not isinstance(app, flask.Flask):
        kind = type(app)
        raise CannotApply(
            f"{name} works on the responses of a Flask app, and the target's app is none "
            f"({kind.__module__}.{kind.__qualname__}); name the Flask app itself, or leave {name} out"
        )
    return app
