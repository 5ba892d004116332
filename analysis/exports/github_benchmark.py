"""Files for github-action-benchmark: its tools customSmallerIsBetter and customBiggerIsBetter, one file each.

Source of the form: the README of benchmark-action/github-action-benchmark, "customBiggerIsBetter" and
"customSmallerIsBetter".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from analysis.exports.names import named_cases
from analysis.findings import FigureFinding, Findings
from analysis.scope import headline_of
from results.metrics import Better

_FILES = {Better.LOWER: "smaller-is-better.json", Better.HIGHER: "bigger-is-better.json"}


def export(findings: Findings) -> Mapping[str, str]:
    """The text of each file by its name: the headline figures, and each one's ratio to the baseline.

    Controls are left out: a chart of them shows the noise, under the name of something that is measured.
    """
    entries: dict[Better, list[dict[str, Any]]] = {better: [] for better in _FILES}
    for name, case in named_cases(findings):
        if not case.summary.control:
            for item in (case.figures[figure] for figure in headline_of(case.summary.case)):
                entries[item.figure.better] += _entries(f"{name}: {item.figure.name}", item)
    return {file: json.dumps(entries[better], indent=2) + "\n" for better, file in _FILES.items()}


def _entries(name: str, item: FigureFinding) -> Iterator[dict[str, Any]]:
    if item.value is not None:
        yield {"name": name, "unit": item.figure.unit.value, "value": item.value}
    if item.ratio is None:
        return
    ratio: dict[str, Any] = {"name": f"{name} / baseline", "unit": "ratio", "value": item.ratio}
    if (interval := item.ratio_interval) is not None:
        ratio["range"] = "{:.4g} to {:.4g}".format(*interval)
    if item.verdict is not None:
        ratio["extra"] = f"{item.verdict.kind}: {item.verdict.reason}"
    yield ratio
