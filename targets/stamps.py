"""Stamps what an app hands over, inside a middleware that is around it, into the ledger that is around both.

Stands alone: it is copied under a name of its own beside a server under test, in whose environment only the
standard library is sure to be there (Python 3.8 or newer). `ledger.LedgerAround` puts the request's record
into the WSGI environment under KEY; without one nothing is stamped.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

#: The same as in `ledger`, which stands alone too.
KEY = "streamgauge.ledger"
#: Of `ledger.ENDINGS`.
EXHAUSTED, RAISED = 0, 1


class Stamps:
    """A WSGI app around another (PEP 3333)."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(
        self, environ: Mapping[str, Any], start_response: Callable[..., Callable[[bytes], object]]
    ) -> Iterable[bytes]:
        """Serve one request as the app does."""
        record = environ.get(KEY)
        if record is None:
            return self._app(environ, start_response)

        def starting(*arguments: Any) -> Callable[[bytes], object]:
            write = start_response(*arguments)

            def stamped(data: bytes) -> object:
                record.note(len(data))
                return write(data)

            return stamped

        try:
            body = self._app(environ, starting)
        except BaseException:
            record.ended(RAISED)
            raise
        record.sendfile_lost = _is_file(environ, body)
        return _SizedBody(body, body, record) if hasattr(body, "__len__") else _Body(body, body, record)


class _Body:
    """An iterable of bytes, each stamped; ``source`` is what has to be closed with it."""

    def __init__(self, chunks: Iterable[bytes], source: object, record: Any) -> None:
        self._chunks = chunks
        self._source = source
        self._record = record

    def __iter__(self) -> Iterator[bytes]:
        note = self._record.note
        try:
            for chunk in self._chunks:
                note(len(chunk))
                yield chunk
        except GeneratorExit:  # thrown away from outside: that is no error of the app
            raise
        except BaseException:
            self._record.ended(RAISED)
            raise
        self._record.ended(EXHAUSTED)

    def close(self) -> None:
        """The end of the request."""
        close = getattr(self._source, "close", None)
        if close is not None:
            close()


class _SizedBody(_Body):
    """The same around an iterable with a length, of which a server or middleware may make use."""

    _chunks: Any

    def __len__(self) -> int:
        return len(self._chunks)


def _is_file(environ: Mapping[str, Any], body: object) -> bool:
    """Whether a server could send this body by itself, if it were not iterated here."""
    wrapper = environ.get("wsgi.file_wrapper")
    return isinstance(wrapper, type) and isinstance(body, wrapper)


#: As `middleware.applied` names it.
around = Stamps


def in_flask(app: Any) -> None:
    """Have a Flask app's responses stamped as its views return them."""
    request = importlib.import_module("flask").request

    def stamped(response: Any) -> Any:
        record = request.environ.get(KEY)
        if record is None:
            return response
        record.sendfile_lost = _is_file(request.environ, response.response)
        if response.is_streamed:
            response.response = _Body(response.iter_encoded(), response.response, record)
        else:
            for chunk in response.iter_encoded():  # all of it is there, and handed over now
                record.note(len(chunk))
            record.ended(EXHAUSTED)
        return response

    app.after_request(stamped)
