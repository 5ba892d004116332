"""A case: one target variant on one server under one scenario, and its identity."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

Value = str | int | float | bool

#: What a parameter was before it was a parameter. A parameter that is added to the project later is
#: entered here with the value that all earlier runs had, so that their cases keep their identity.
REGISTERED_DEFAULTS: Mapping[str, Value] = MappingProxyType({"workers": 1, "keep_alive": True})

_PLAIN = re.compile(r"[\w./:+-]+", re.ASCII)


def identity(parameters: Mapping[str, Value]) -> str:
    """The sorted parameters with registered defaults filled in, as one line of text.

    Two runs measure the same case exactly when this text is the same. A value with a space or
    a quote in it is quoted.
    """
    filled = {**REGISTERED_DEFAULTS, **parameters}
    return " ".join(f"{key}={_text(filled[key])}" for key in sorted(filled))


def _text(value: Value) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if _PLAIN.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure.

    ``parameters`` holds everything that tells this case from others. ``baseline`` is the identity
    of the whole form that it is compared with, None for a baseline itself and for a case that is
    expected to fail (which is shown by verify and never timed).
    """

    parameters: Mapping[str, Value]
    baseline: str | None
    expect_failure: bool = False

    @property
    def identity(self) -> str:
        """The case's name for good: see `identity`."""
        return identity(self.parameters)

    @property
    def is_baseline(self) -> bool:
        """Whether this is a whole form that others are compared with."""
        return self.baseline is None and not self.expect_failure
