"""A flight as a JSON object (RFC 8259): the same text for the same flight."""

import json
from collections.abc import Callable, Sequence
from typing import Final

from targets.flights import COLUMNS

_TEXTS: Final = frozenset({"carrier", "tailnum", "origin", "dest", "time_hour"})
_KINDS: Final[Sequence[Callable[[str], int | str]]] = [str if name in _TEXTS else int for name in COLUMNS]
_MISSING: Final = "NA"
_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


def flight_json(row: Sequence[str]) -> str:
    """Return one flight as a JSON object on one line, its keys in the order of `COLUMNS`.

    Numbers are numbers, what is missing ("NA") is null. Nothing but ASCII, so that a character is a byte.
    """
    fields = zip(COLUMNS, _KINDS, row, strict=True)
    return _encode({name: None if text == _MISSING else kind(text) for name, kind, text in fields})
