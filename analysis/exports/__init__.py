"""What is found in a run, in the forms that other programs read: one exporter a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from analysis.exports import bencher, csv_rows, github_benchmark, json_document, junit, markdown, openmetrics
from analysis.findings import Findings

#: Formats of one file: its whole text.
FORMATS: Mapping[str, Callable[[Findings], str]] = {
    "csv": csv_rows.export,
    "json": json_document.export,
    "markdown": markdown.export,
    "junit": junit.export,
    "bencher": bencher.export,
    "openmetrics": openmetrics.export,
}
#: Formats of several files: their texts by name.
FOLDERS: Mapping[str, Callable[[Findings], Mapping[str, str]]] = {"github-benchmark": github_benchmark.export}
