"""Variables of the environment that a suite names as ``${NAME}``: secrets stay out of suites and stores."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from harness.suites.matrix import PlannedCase
from results.errors import UsageError

_ONE_LINE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
#: ``$${NAME}`` stands for the text ``${NAME}``.
_VARIABLE = re.compile(r"(\$?)\$\{([A-Za-z_]\w*)\}", re.ASCII)


def filled(text: str) -> str:
    """The text with the variables' values. Raises UsageError where one is not set."""

    def value(match: re.Match[str]) -> str:
        if match[1]:
            return match[0][1:]
        try:
            return os.environ[match[2]]
        except KeyError:
            raise UsageError(_not_set(match[2])) from None

    return _VARIABLE.sub(value, text)


def names_in(text: str) -> list[str]:
    """The variables that a text names, in its order."""
    return [match[2] for match in _VARIABLE.finditer(text) if not match[1]]


def without_variables(text: str) -> str:
    """What of the text is there as it is."""
    return _VARIABLE.sub("", text)


def check_variables(cases: Iterable[PlannedCase]) -> None:
    """That all variables that these cases name are set, and make lines of headers. Raises UsageError."""
    problems: dict[str, None] = {}
    for target in {planned.target.name: planned.target for planned in cases}.values():
        texts = [("body", target.body or "")]
        texts += [(f"headers.{name}", text) for name, text in target.headers.items()]
        texts += [(f"environment.{name}", text) for name, text in target.environment.items()]
        for key, text in texts:
            try:
                value = filled(text)
            except UsageError as error:
                problems[f"target {target.name}, {key}: {error}"] = None
                continue
            if key.startswith("headers.") and not _ONE_LINE.fullmatch(value):
                why = "with its variables it is not one line of Latin-1 text"
                problems[f"target {target.name}, {key}: {why}"] = None
            if key == "body" and any("\ud800" <= character <= "\udfff" for character in value):
                problems[f"target {target.name}, {key}: with its variables it is not text in UTF-8"] = None
    if problems:
        raise UsageError("\n".join(problems))


def _not_set(name: str) -> str:
    return f"the environment variable {name} is not set; set it, or write $${{{name}}} for the text itself"
