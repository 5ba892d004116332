"""Bencher Metric Format: ``{benchmark: {measure: {value, lower_value, upper_value}}}``.

Source of the form: Bencher's reference, "Bencher Metric Format (BMF)".
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from analysis.exports.names import named_cases
from analysis.findings import FigureFinding, Findings
from results.metrics import Unit

#: In a measure's name; Bencher makes measures from names that it does not know, without a unit.
_UNITS = {
    Unit.NANOSECONDS: "ns",
    Unit.BYTES: "bytes",
    Unit.BYTES_PER_SECOND: "bytes-per-second",
    Unit.PER_SECOND: "per-second",
    Unit.NANOSECONDS_PER_MEGABYTE: "ns-per-mb",
    Unit.SHARE: "share",
}


def export(findings: Findings) -> str:
    """A benchmark a case, named by its label; a measure a figure, and one for its ratio with the interval."""
    benchmarks = {
        name: {measure: values for item in case.figures.values() for measure, values in _measures(item)}
        for name, case in named_cases(findings)
        if any(item.value is not None for item in case.figures.values())
    }
    return json.dumps(benchmarks, indent=2, allow_nan=False) + "\n"


def _measures(item: FigureFinding) -> Iterator[tuple[str, dict[str, float]]]:
    name = item.figure.name.replace("_", "-")
    if item.value is not None:
        yield f"{name}-{_UNITS[item.figure.unit]}", {"value": item.value}
    if item.ratio is None:
        return
    values = {"value": item.ratio}
    if (interval := item.ratio_interval) is not None:
        values |= {"lower_value": interval[0], "upper_value": interval[1]}
    yield f"{name}-ratio", values
