"""An app whose stream keeps a schedule of its own: the probe that shows what a layer holds back.

Stands alone: it is copied under a name of its own beside a server under test, in whose environment only the
standard library is sure to be there (Python 3.8 or newer), and is served as ``NAME:app``.
"""

from __future__ import annotations

import json
import os
import random
import string
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

#: JSON: what every request gets, whatever it asks for: ``pieces``, ``bytes`` and ``gap_ms`` and, to stand for
#: another app's response, the ``headers`` of that one.
VARIABLE = "STREAMGAUGE_PACED"
#: What is asked for when the query does not say: so many pieces, bytes of each, milliseconds between two.
DEFAULTS = {"pieces": 8, "bytes": 512, "gap_ms": 40}
HEADERS = [("Content-Type", "text/csv; charset=utf-8")]
#: A header of each response: the protocol in which its request came.
PROTOCOL = "X-Streamgauge-Protocol"
_LETTERS = string.ascii_letters + string.digits
_ROW_BYTES = 64


def app(
    environ: Mapping[str, Any], start_response: Callable[..., Callable[[bytes], object]]
) -> Iterator[bytes]:
    """Any path: the pieces that the query asks for, the first at once, then one each gap (PEP 3333)."""
    given = json.loads(os.environ.get(VARIABLE, "{}"))
    if not given:
        query = parse_qsl(environ.get("QUERY_STRING", ""))
        given = {name: int(value) for name, value in query if name in DEFAULTS}
    asked = {**DEFAULTS, "headers": HEADERS, **given}
    headers = [(name, value) for name, value in asked["headers"]]
    start_response("200 OK", [*headers, (PROTOCOL, environ.get("SERVER_PROTOCOL", ""))])
    return paced(asked["pieces"], asked["bytes"], asked["gap_ms"])


def paced(pieces: int, size: int, gap_ms: int) -> Iterator[bytes]:
    """The same bytes each time; letters that hardly compress, so that a compressor has to pass them on."""
    for number, piece in enumerate(contents(pieces, size)):
        if number:
            time.sleep(gap_ms / 1000)
        yield piece


def contents(pieces: int, size: int) -> Iterator[bytes]:
    """The pieces without their schedule."""
    letters = random.Random(0)  # noqa: S311  - nothing secret
    for _ in range(pieces):
        text = "".join(letters.choices(_LETTERS, k=size))
        rows = [text[at : at + _ROW_BYTES - 2] + "\r\n" for at in range(0, size, _ROW_BYTES)]
        yield "".join(rows)[: size - 2].encode() + b"\r\n"
