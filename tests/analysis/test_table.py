"""Numbers as people read them, and the end table as Markdown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.summary import CaseSummary, summarize
from analysis.table import amount, columns, headline_columns, markdown, times
from results.case import Case
from results.metrics import Unit
from tests.analysis.examples import Invalid, run_of
from tests.results.examples import STREAM, WHOLE, verification

NS, B, RATE = Unit.NANOSECONDS, Unit.BYTES, Unit.BYTES_PER_SECOND


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, NS, "–"),
        (0, NS, "0 ns"),
        (0.25, NS, "0.25 ns"),
        (999, NS, "999 ns"),
        (999.4, NS, "999 ns"),
        (999.6, NS, "1 µs"),
        (1000, NS, "1 µs"),
        (1234, NS, "1.23 µs"),
        (999_499, NS, "999 µs"),
        (999_500, NS, "1 ms"),
        (12_345_678, NS, "12.3 ms"),
        (999_999_999, NS, "1 s"),
        (1e9, NS, "1 s"),
        (1234e9, NS, "1,234 s"),
        (-1_500_000, NS, "-1.5 ms"),
        (0, B, "0 B"),
        (1000, B, "1,000 B"),
        (1023, B, "1,023 B"),
        (1024, B, "1 KiB"),
        (2**20 - 1, B, "1 MiB"),
        (1.5 * 2**20, B, "1.5 MiB"),
        (100.4 * 2**20, B, "100 MiB"),
        (5 * 2**40, B, "5,120 GiB"),
        (-4096, B, "-4 KiB"),
        (0, RATE, "0 B/s"),
        (123_456_789, RATE, "123 MB/s"),
        (2.5e9, RATE, "2.5 GB/s"),
        (2.5e3, RATE, "2.5 kB/s"),
        (1500, Unit.NANOSECONDS_PER_MEGABYTE, "1.5 µs/MB"),
        (8e6, Unit.NANOSECONDS_PER_MEGABYTE, "8 ms/MB"),
        (0, Unit.PER_SECOND, "0/s"),
        (12.345, Unit.PER_SECOND, "12.3/s"),
        (12345.6, Unit.PER_SECOND, "12,346/s"),
    ],
)
def test_amounts(value: float | None, unit: Unit, text: str) -> None:
    assert amount(value, unit) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (None, "–"),
        (0, "×0"),
        (1, "×1"),
        (1.0004, "×1"),
        (0.98765, "×0.988"),
        (0.0212, "×0.0212"),
        (0.000012345, "×0.0000123"),
        (0.0000001, "×0.0000001"),
        (99.96, "×100"),
        (31415.9, "×31,416"),
        (-0.5, "×-0.5"),
    ],
)
def test_ratios(ratio: float | None, text: str) -> None:
    assert times(ratio) == text


@given(st.floats(1e-6, 1e15), st.sampled_from(Unit))
def test_an_amount_is_within_half_a_percent_of_its_value(value: float, unit: Unit) -> None:
    sizes = {"": 1, "n": 1, "µ": 1e3, "m": 1e6, "s": 1e9, "k": 1e3, "M": 1e6, "G": 1e9}
    binary = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
    text = amount(value, unit)
    assert "e" not in text
    number, _, name = text.partition(" ")
    if unit is B:
        size: float = binary[name]
    elif unit is Unit.PER_SECOND:
        number, size = number.removesuffix("/s"), 1
    elif unit is Unit.SHARE:
        number, size = number.removesuffix("%"), 0.01
    else:
        size = sizes["" if name.startswith("B") else name[0]]
    assert float(number.replace(",", "")) * size == pytest.approx(value, rel=0.0051)


def cells(row: CaseSummary) -> dict[str, str]:
    return {column.heading: column.cell(row) for column in columns([row]) if column.heading != "ratio"}


def test_a_row_shows_the_case_its_chunks_its_figures_and_its_trials() -> None:
    figures = {
        "ttfb_p50": 1.5e6,
        "throughput": 2e8,
        "peak_memory": 2**20,
        "cpu_per_mb": 3e6,
        "ttfb_p95": None,
    }
    double = {name: None if value is None else value * 2 for name, value in figures.items()}
    whole, again, stream = summarize(
        run_of((WHOLE, [double] * 3), (STREAM, [figures] * 2 + [Invalid(figures)]), control=[double] * 3)
    )
    assert cells(stream) == {
        "case": "orders rows=500",
        "chunk": "25 B",
        "TTFB p50": "1.5 ms",
        "p95": "–",
        "throughput": "200 MB/s",
        "peak memory": "1 MiB",
        "CPU per MB": "3 ms/MB",
        "trials": "3, 1 invalid",
    }
    shown = [column.cell(stream) for column in columns([stream]) if column.heading == "ratio"]
    assert shown == ["×0.5", "–", "×0.5", "×0.5", "×0.5"]
    assert cells(again)["case"] == "orders whole (again)"
    assert cells(whole)["trials"] == "3"


@pytest.mark.parametrize(
    ("case", "chunk_bytes", "text"), [(WHOLE, None, "whole"), (STREAM, None, "–"), (STREAM, 65536, "64 KiB")]
)
def test_the_chunk_is_that_of_the_wire(case: Case, chunk_bytes: int | None, text: str) -> None:
    run = run_of((case, [{}]))
    found = verification(median_chunk_bytes=chunk_bytes)
    row = summarize(type(run)(run.header, None, {case.identity: found}, run.trials))[0]
    assert cells(row)["chunk"] == text
    never_asked = summarize(type(run)(run.header, None, {}, run.trials))[0]
    assert cells(never_asked)["chunk"] == "–"


def test_what_a_user_on_schedule_waited_is_shown_where_a_case_has_it() -> None:
    waited = {"ttfb_p50": 1e6, "ttfb_effective_p50": 2e6, "ttfb_effective_p95": 9e8}
    closed, opened = summarize(run_of((WHOLE, [{"ttfb_p50": 1e6}]), (STREAM, [waited])))[::2]
    effective = ["TTFB eff. p50", "p95"]
    for shown in (columns, headline_columns):
        assert not [column for column in shown([closed]) if "eff" in column.heading]
    wide = columns([closed, opened])
    at = [column.heading for column in wide].index(effective[0])
    assert [column.heading for column in wide[at : at + 2]] == effective
    assert [column.cell(opened) for column in wide[at : at + 2]] == ["2 ms", "900 ms"]
    assert [column.cell(closed) for column in wide[at : at + 2]] == ["–", "–"]
    (narrow,) = [column for column in headline_columns([closed, opened]) if column.heading == "TTFB eff."]
    assert narrow.cell(opened) == "2 ms"


def test_markdown_is_a_table_of_equal_rows() -> None:
    rows = summarize(run_of((WHOLE, [{"ttfb_p50": 1e6}]), (STREAM, [{"ttfb_p50": 5e5}])))
    text = markdown(rows)
    lines = text.split("\n")
    assert {line.count("|") for line in lines} == {len(columns(rows)) + 1}
    assert lines[0].startswith("| case | chunk | TTFB p50 | ratio |")
    assert set(lines[1]) == set("|- :")
    assert lines[-1].startswith("| orders rows=500 | 25 B | 500 µs | ×0.5 |")
    assert len(lines) == 5


def test_markdown_shows_a_name_letter_for_letter() -> None:
    name = r"a|b\|c`d*e*[f](g)<i>_h_ &amp; ~~x~~ snake_case"
    line = markdown(summarize(run_of((Case({"target": name, "form": "whole"}, None), [{}])))).split("\n")[2]
    # what a Markdown reader makes of it: a backslash gives the next character, a bare bar ends the cell
    escaped = re.compile(r"\\([!-/:-@\[-`{-~])")
    cell = re.match(r"\| ((?:\\.|[^|\\])*) \|", line)
    assert cell
    assert escaped.sub(r"\1", cell[1]) == f"{name} whole"
    bare = escaped.sub("", cell[1])
    assert not re.search(r"[|`*<\[&~\\]|\b_|_\b", bare.replace("snake_case", ""))
    assert "snake_case" in line
