"""The end table's columns and cells, as text: for a terminal, and for Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from analysis.scope import is_patience, why_without
from analysis.summary import CaseSummary
from results.case import Case
from results.metrics import FIGURES, Figure, Unit


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, and its cell for a row."""

    heading: str
    cell: Callable[[CaseSummary], str]


_MISSING = "–"
#: The sizes in which a unit is shown, the largest first.
_SCALES: Mapping[Unit, Sequence[tuple[str, float]]] = {
    Unit.NANOSECONDS: (("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1)),
    Unit.NANOSECONDS_PER_MEGABYTE: (("s/MB", 1e9), ("ms/MB", 1e6), ("µs/MB", 1e3), ("ns/MB", 1)),
    Unit.BYTES: (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10), ("B", 1)),
    Unit.BYTES_PER_SECOND: (("GB/s", 1e9), ("MB/s", 1e6), ("kB/s", 1e3), ("B/s", 1)),
}
#: What Markdown would take for its own; an underscore only at the edge of a word.
_MARKUP = re.compile(r"[\\|`*<\[&~]|(?<!\w)_|_(?!\w)")


def amount(value: float | None, unit: Unit) -> str:
    """A value in a unit that people read: three significant digits."""
    if value is None:
        return _MISSING
    if unit in _SCALES:
        return _scaled(value, _SCALES[unit])
    return f"{digits(100 * value)}%" if unit is Unit.SHARE else f"{digits(value)}/s"


def amount_of(name: str, value: float | None, case: Case) -> str:
    """A figure's value for this case; > 1 s is a wait of others that was given up, the truth being longer."""
    text = amount(value, FIGURES[name].unit)
    return f"> {text}" if is_patience(name, value, case) else text


def times(ratio: float | None) -> str:
    """A ratio to the baseline, like ×0.021."""
    return _MISSING if ratio is None else f"×{digits(ratio)}"


def effect(value: float | None, figure: Figure) -> str:
    """What two arms differ by: a ratio like ×1.2, or for memory and shares a difference like +1.5 MiB."""
    if not figure.by_difference or value is None:
        return times(value)
    return f"{'+' if value > 0 else ''}{amount(value, figure.unit)}"


def span(low: float | None, high: float | None, figure: Figure) -> str:
    """The interval of the same; empty where there is none."""
    return "" if low is None or high is None else f"{effect(low, figure)} to {effect(high, figure)}"


def setting(value: object) -> str:
    """One value of a run's environment in words."""
    if isinstance(value, dict):
        return (
            ", ".join(f"{key} {setting(item)}" for key, item in value.items() if item is not None) or "none"
        )
    if value is None:
        return "not known"
    return value if isinstance(value, str) else json.dumps(value)


def columns(rows: Sequence[CaseSummary]) -> Sequence[Column]:
    """Case, chunk size, and the headline figures of these rows, each with its ratio to the baseline.

    Where one of them is an open loop, the effective TTFB stands beside the TTFB.
    """
    effective = (
        (_value("ttfb_effective_p50", "TTFB eff. p50"), _value("ttfb_effective_p95", "p95"))
        if _scheduled(rows)
        else ()
    )
    return (
        Column("case", lambda row: row.label),
        Column("chunk", _chunk),
        *_figure("ttfb_p50", "TTFB p50"),
        *_figure("ttfb_p95", "p95"),
        *effective,
        *_throughput(rows),
        *_figure("peak_memory", "peak memory"),
        *_figure("cpu_per_mb", "CPU per MB"),
        Column("trials", _trials),
    )


def headline_columns(rows: Sequence[CaseSummary]) -> Sequence[Column]:
    """The columns that fit into 80 characters."""
    effective = (_value("ttfb_effective_p50", "TTFB eff."),) if _scheduled(rows) else ()
    return (
        Column("case", lambda row: row.label),
        *_figure("ttfb_p50", "TTFB p50"),
        *effective,
        *_throughput(rows),
        *_figure("peak_memory", "memory"),
    )


def _throughput(rows: Sequence[CaseSummary]) -> tuple[Column, ...]:
    """Left out where all readers set their pace: it would be theirs."""
    paced = [row for row in rows if why_without(FIGURES["throughput"], row.case)]
    return () if rows and len(paced) == len(rows) else _figure("throughput", "throughput")


def _scheduled(rows: Sequence[CaseSummary]) -> bool:
    """Whether an open loop is among them."""
    return any(row.estimates["ttfb_effective_p50"].value is not None for row in rows)


def _figure(name: str, heading: str) -> tuple[Column, Column]:
    return _value(name, heading), Column("ratio", lambda row: times(row.estimates[name].ratio))


def _value(name: str, heading: str) -> Column:
    unit = FIGURES[name].unit
    return Column(heading, lambda row: amount(row.estimates[name].value, unit))


def _chunk(row: CaseSummary) -> str:
    found = row.verification
    if found is None:
        return _MISSING
    if found.median_chunk_bytes is not None:
        return amount(found.median_chunk_bytes, Unit.BYTES)
    return "whole" if row.case.is_baseline else _MISSING


def _trials(row: CaseSummary) -> str:
    return str(row.trials) if not row.invalid else f"{row.trials}, {row.invalid} invalid"


def _scaled(value: float, units: Sequence[tuple[str, float]]) -> str:
    for name, size in units:
        if abs(value) >= 0.9995 * size:  # what rounds to 1 of this unit is shown in it
            return f"{digits(value / size)} {name}"
    return f"{digits(value)} {units[-1][0]}"


def digits(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{Decimal(f'{value:.3g}'):f}"


def markdown(rows: Sequence[CaseSummary]) -> str:
    """The table as Markdown, without a line break at its end."""
    shown = columns(rows)
    lines = [[column.heading for column in shown], ["---"] + ["--:"] * (len(shown) - 1)]
    lines += [[escaped(column.cell(row)) for column in shown] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escaped(text: str) -> str:
    """The text with all that Markdown would take for its own as it stands."""
    return _MARKUP.sub(r"\\\g<0>", text)
