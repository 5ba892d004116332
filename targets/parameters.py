"""Query parameters that are whole numbers, and the 400 that says which one is wrong and why."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

_NUMBER: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_SHOWN_CHARACTERS: Final = 40


@dataclass(frozen=True, slots=True)
class Number:
    """A query parameter: its name, what it is when not given, and the least and most allowed."""

    name: str
    default: int
    least: int
    most: int


class ParameterError(BadRequest):
    """400 as plain text, one line for each mistake."""

    def get_body(self, environ: object = None, scope: object = None) -> str:
        """Return the message as it is: quoting was done where it was written."""
        del environ, scope
        return f"{self.description}\n"

    def get_headers(self, environ: object = None, scope: object = None) -> list[tuple[str, str]]:
        """Return the content type, and forbid browsers to guess another."""
        del environ, scope
        return [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("X-Content-Type-Options", "nosniff"),
        ]


def read(query: MultiDict[str, str], *numbers: Number) -> tuple[int, ...]:
    """Return the value of each of `numbers` in `query`, in their order, defaults filled in.

    Raises:
        ParameterError: a value is no plain decimal number or is not allowed, a parameter is given
            twice, or one is not known here. All mistakes are named at once.
    """
    problems = _unknown(query, numbers)
    values = []
    for number in numbers:
        given = query.getlist(number.name)
        if not given:
            values.append(number.default)
        elif len(given) > 1:
            problems.append(f"Parameter {number.name} is given {len(given)} times: give it once.")
        elif _NUMBER.fullmatch(given[0]) and number.least <= int(given[0]) <= number.most:
            values.append(int(given[0]))
        else:
            problems.append(
                f"Parameter {number.name} is {_shown(given[0])}:"
                f" allowed is a whole number from {number.least} to {number.most}."
            )
    if problems:
        raise ParameterError("\n".join(problems))
    return tuple(values)


def _unknown(query: MultiDict[str, str], numbers: Sequence[Number]) -> list[str]:
    known = [number.name for number in numbers]
    return [
        f"Parameter {_shown(name)} is not known here: allowed are {', '.join(known)}."
        for name in query
        if name not in known
    ]


def _shown(text: str) -> str:
    """Quote what a stranger sent: printable ASCII only, and never much of it."""
    if len(text) > _SHOWN_CHARACTERS:
        return f"{text[:_SHOWN_CHARACTERS]!a} ..."
    return ascii(text)
