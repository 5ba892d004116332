"""The memory that a suite allows its targets: what a recommended buffer may take."""

from __future__ import annotations

import tomllib

from analysis.verdicts.gate import parse_limit
from results.metrics import FIGURES
from results.run import RunHeader


def read_cap(text: str) -> float:
    """The bytes of a cap such as ``"64 MiB"``. Raises ValueError that says what is allowed."""
    limit = parse_limit(text, FIGURES["peak_memory"], upper=True)
    if limit.of_baseline or not limit.value:
        raise ValueError('a cap is an amount of memory, like "64 MiB"')
    return limit.value


def caps_of(header: RunHeader) -> dict[str, float]:
    """The cap (bytes) of each target that has one, by the target's name.

    None where the suite cannot be read, as one that another version wrote: its runs are shown all the same.
    """
    try:
        targets = tomllib.loads(header.suite_toml).get("target", [])
        return {
            target["name"]: read_cap(target["memory_cap"]) for target in targets if "memory_cap" in target
        }
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}
