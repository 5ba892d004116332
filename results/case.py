"""A case: one target variant on one server under one scenario, and its identity."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

Value = str | int | float | bool

#: What a parameter was before it was a parameter. A parameter that is added to the project later is
#: entered here with the value that all earlier runs had, so that their cases keep their identity.
REGISTERED_DEFAULTS: Mapping[str, Value] = MappingProxyType({"workers": 1, "keep_alive": True})

#: The same for parameters that came after runs were stored. Stores hold identities as text: so that it stays
#: the same letter for letter, these are left out of it where they have their default.
LATER_DEFAULTS: Mapping[str, Value] = MappingProxyType(
    {"preload": False, "middleware": "none", "proxy": "none"}
)

#: The parameters that a case has besides its target, form and axes, in the order in which a label shows them.
SETTINGS = (
    "server",
    "worker_class",
    "workers",
    "preload",
    "threads",
    "threaded",
    "send_bytes",
    "timeout_s",
    "keep_alive_s",
    "middleware",
    "proxy",
    "proxy_buffering",
    "proxy_http_version",
    "proxy_gzip",
    "proxy_buffer_bytes",
    "line_rate",
    "line_delay",
    "scenario",
    "users",
    "rate",
    "spacing",
    "after",
    "others",
    "patience_s",
    "keep_alive",
)

_PLAIN = re.compile(r"[\w./:+-]+", re.ASCII)


def identity(parameters: Mapping[str, Value]) -> str:
    """The sorted parameters with registered defaults filled in (later ones left out), as one line of text.

    Two runs measure the same case exactly when this text is the same. A value that is more than
    letters, digits and ``./:+-`` is quoted as in JSON. A number and its text are one value, as in a path.
    """
    filled = {**REGISTERED_DEFAULTS, **parameters}
    return " ".join(
        f"{key}={_quoted(filled[key])}"
        for key in sorted(filled)
        if key not in LATER_DEFAULTS or value_text(filled[key]) != value_text(LATER_DEFAULTS[key])
    )


def value_text(value: Value) -> str:
    """A parameter's value as people write it in a suite."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _quoted(value: Value) -> str:
    text = value_text(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


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
