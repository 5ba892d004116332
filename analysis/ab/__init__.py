"""What is said of an ab, in all its forms: one a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from analysis.ab import csv_rows, json_document, junit, markdown
from analysis.ab.findings import AbFindings

#: Formats of one file: its whole text.
FORMATS: Mapping[str, Callable[[AbFindings], str]] = {
    "csv": csv_rows.export,
    "json": json_document.export,
    "markdown": markdown.export,
    "junit": junit.export,
}
