"""The options of servers that have a few plain ones: numbers, switches, choices, each with its default."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from targets.servers.server import OptionError


class Option(Protocol):
    """One of them."""

    @property
    def default(self) -> int | str:
        """What the server does without it."""

    @property
    def allowed(self) -> str:
        """What may be given, in words."""

    def takes(self, value: object) -> bool:
        """Whether this may be given."""


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number from ``least`` to ``most``; ``default`` is the server's own."""

    default: int
    least: int
    most: int

    @property
    def allowed(self) -> str:
        """What may be given, in words."""
        return f"a whole number from {self.least} to {self.most}"

    def takes(self, value: object) -> bool:
        """Whether this may be given."""
        return type(value) is int and self.least <= value <= self.most


@dataclass(frozen=True, slots=True)
class Switch:
    """True or false; ``default`` is the server's own."""

    default: bool

    @property
    def allowed(self) -> str:
        """What may be given, in words."""
        return "true and false"

    def takes(self, value: object) -> bool:
        """Whether this may be given."""
        return type(value) is bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few texts; ``default`` is the server's own."""

    default: str
    among: tuple[str, ...]

    @property
    def allowed(self) -> str:
        """What may be given, in words."""
        return " and ".join(f'"{text}"' for text in self.among)

    def takes(self, value: object) -> bool:
        """Whether this may be given."""
        return value in self.among


Options = Mapping[str, int]


def read(kind: str, known: Mapping[str, Option], given: Mapping[str, object]) -> dict[str, Any]:
    """Each known option with what was given, or its default.

    Raises:
        OptionError: names every option that is unknown or out of range.
    """
    problems = [
        f"{kind} {name} is {value!r}: allowed is {known[name].allowed}."
        if name in known
        else f"{kind} has no option {name} here: allowed are {', '.join(known)}."
        for name, value in given.items()
        if name not in known or not known[name].takes(value)
    ]
    if problems:
        raise OptionError("\n".join(problems))
    defaults = {name: option.default for name, option in known.items()}
    return {**defaults, **given}
