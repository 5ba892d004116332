"""CSV (RFC 4180): one row a case and figure, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

from analysis.exports.printable import printable
from analysis.findings import CaseFinding, FigureFinding, Findings
from results.case import Value, value_text

#: What a spreadsheet would take for a formula, and run.
_FORMULA = re.compile(r"\s*[=+\-@]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_COLUMNS = (
    "run",
    "suite",
    "case",
    "identity",
    "control",
    "figure",
    "definition",
    "unit",
    "better",
    "value",
    "ratio",
    "ratio_low",
    "ratio_high",
    "difference",
    "difference_low",
    "difference_high",
    "blocks",
    "verdict",
    "provisional",
    "basis",
    "q",
    "reason",
    "trials",
    "invalid_trials",
    "faults",
    "body_bytes",
    "median_chunk_bytes",
    "load",
)


def export(findings: Findings) -> str:
    """The rows below one of headings, lines ended by CRLF; what is null is empty.

    ``value`` and the differences are in ``unit``. Each parameter of the cases has a column of its own
    after these, headed ``parameter.NAME``. A text that a spreadsheet would take for a formula gets an
    apostrophe before it.
    """
    cases = [item.summary.case for item in findings.cases]
    parameters = list(dict.fromkeys(key for case in cases for key in case.parameters))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*_COLUMNS, *(_text(f"parameter.{key}") for key in parameters)])
    writer.writerows(_rows(findings, parameters))
    return out.getvalue()


def _rows(findings: Findings, parameters: Sequence[str]) -> Iterator[list[str]]:
    for case in findings.cases:
        values = [cell(case.summary.case.parameters.get(key)) for key in parameters]
        for figure in case.figures.values():
            cells = _of_figure(findings, case, figure)
            yield [*(cell(cells.get(name)) for name in _COLUMNS), *values]


def _of_figure(findings: Findings, case: CaseFinding, item: FigureFinding) -> dict[str, Value | None]:
    row, figure = case.summary, item.figure
    cells: dict[str, Value | None] = {
        "run": findings.header.run_id,
        "suite": findings.header.suite,
        "case": row.label,
        "identity": row.case.identity,
        "control": row.control,
        "figure": figure.name,
        "definition": figure.definition,
        "unit": figure.unit.value,
        "better": figure.better.value,
        "value": item.value,
        "ratio": item.ratio,
        "basis": "gate" if item.gated else "screening" if item.q is not None else None,
        "q": item.q,
        "trials": row.trials,
        "invalid_trials": row.invalid,
        "load": findings.load.made if findings.load else None,
        "faults": "; ".join(f"{fault} {count}" for fault, count in case.faults.items()),
    }
    if row.verification is not None:
        cells["body_bytes"] = row.verification.body_bytes
        cells["median_chunk_bytes"] = row.verification.median_chunk_bytes
    if (verdict := item.verdict) is not None:
        interval = {"_low": verdict.low, "_high": verdict.high}
        if figure.by_difference:
            interval[""] = verdict.estimate
        kind = "difference" if figure.by_difference else "ratio"
        cells |= {f"{kind}{end}": value for end, value in interval.items()}
        cells |= {
            "blocks": verdict.blocks,
            "verdict": verdict.kind.value,
            "provisional": verdict.provisional,
            "reason": verdict.reason,
        }
    return cells


def cell(value: Value | None) -> str:
    """A value as a cell: what is null is empty, and what a spreadsheet would run gets an apostrophe."""
    if value is None:
        return ""
    return _text(value) if isinstance(value, str) else value_text(value)


def _text(text: str) -> str:
    shown = printable(text)
    return f"'{shown}" if _FORMULA.match(shown) and not _NUMBER.fullmatch(shown) else shown
