"""An ab as CSV (RFC 4180): one row a case and figure."""

from __future__ import annotations

import csv
import io

from analysis.ab.findings import AbFindings
from analysis.ab.json_document import ab_document
from analysis.exports.csv_rows import cell

_COLUMNS = (
    "case",
    "label",
    "figure",
    "definition",
    "unit",
    "better",
    "scale",
    "gated",
    "base",
    "head",
    "estimate",
    "low",
    "high",
    "blocks",
    "verdict",
    "provisional",
    "detectable",
    "blocks_needed",
    "reason",
)


def export(findings: AbFindings) -> str:
    """The rows below one of headings, lines ended by CRLF; what is null is empty.

    The columns are the keys of the JSON form's lines. A text that a spreadsheet would take for a formula gets
    an apostrophe before it.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for line in ab_document(findings)["lines"]:
        writer.writerow([cell(line[name]) for name in _COLUMNS])
    return out.getvalue()
