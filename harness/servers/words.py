"""A server or a proxy with its options as one word of the command line: ``gunicorn/gthread/threads=4``."""

from __future__ import annotations

from results.errors import UsageError

_SWITCHES = {"true": True, "false": False}


def kind_and_options(word: str) -> tuple[str, dict[str, str | int]]:
    """The kind and what is named behind it; a part without a value is gunicorn's worker class.

    Whether there is such a kind, and whether it has these options, the caller knows. Raises UsageError.
    """
    kind, *parts = word.split("/")
    options: dict[str, str | int] = {}
    for part in parts:
        name, given, value = part.partition("=")
        if given:
            options[name] = _value(value)
        elif kind == "gunicorn":
            options["worker_class"] = name
        else:
            raise UsageError(
                f"{word!r} names nothing: {kind} has no worker classes; an option is given as "
                f"{kind}/OPTION=VALUE"
            )
    return kind, options


def _value(text: str) -> str | int:
    if text in _SWITCHES:
        return _SWITCHES[text]
    return int(text) if text.isdecimal() else text
