"""CSV by RFC 4180, read by Python's own strict reader."""

from __future__ import annotations

import csv
import io

import pytest

from analysis.exports.csv_rows import export
from results.metrics import FIGURES
from tests.analysis.exports.examples import MIB, NASTY, hostile, known, unlawful


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_a_row_for_each_case_and_figure() -> None:
    found = {(row["case"], row["figure"]): row for row in rows(export(known()))}
    assert len(found) == 4 * len(FIGURES)
    row = found["orders rows=500", "ttfb_p50"]
    assert (row["value"], row["unit"], row["definition"]) == ("2000000.0", "ns", "ttfb.body.v1")
    assert float(row["ratio"]) == pytest.approx(0.25)
    assert float(row["ratio_low"]) == pytest.approx(0.25)
    assert (row["verdict"], row["basis"], row["q"], row["blocks"]) == ("better", "gate", "", "8")
    assert (row["parameter.rows"], row["parameter.form"], row["median_chunk_bytes"]) == (
        "500",
        "stream",
        "25",
    )
    memory = found["orders rows=500", "peak_memory"]
    assert float(memory["difference"]) == 3 * MIB
    assert memory["ratio_low"] == ""
    assert (memory["verdict"], memory["basis"]) == ("worse", "screening")


def test_what_is_missing_is_empty() -> None:
    found = {(row["case"], row["figure"]): row for row in rows(export(known()))}
    assert found["orders rows=500", "ttfb_p95"]["value"] == ""
    assert found["orders whole", "ttfb_p50"]["verdict"] == ""
    assert found["orders whole", "ttfb_p50"]["parameter.rows"] == ""
    assert found["orders rows=1", "ttfb_p50"]["invalid_trials"] == "1"


def test_lines_end_as_the_rfc_says_and_fields_are_even() -> None:
    text = export(hostile())
    assert text.endswith("\r\n")
    assert "\n" not in text.replace("\r\n", "")
    records = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert {len(record) for record in records} == {len(records[0])}
    assert len(records) == 1 + 3 * len(FIGURES)


def test_hostile_text_is_no_formula_and_hides_nothing() -> None:
    text = export(hostile())
    assert not unlawful(text.replace("\r\n", "\n"))
    text.encode()
    cells = [cell for record in csv.reader(io.StringIO(text, newline="")) for cell in record]
    assert any("<script>" in cell for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
    assert not [cell for cell in cells if cell.startswith("-") and not cell[1:2].isdigit()]
    assert f"'={NASTY[:10]}" in "".join(cell[:12] for cell in cells)
