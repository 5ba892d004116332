"""Which figure tells when a reader first has something: the first byte or, where that is hollow, the row."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.verdicts.judgement import Kind, Verdict
from results.case import Case

BYTE, ROW = "ttfb_p50", "ttfr_p50"


def is_compressed(case: Case) -> bool:
    """Whether something around the app compresses: its header goes out before it has anything to say."""
    return case.parameters.get("proxy_gzip") is True or str(case.parameters.get("middleware", "")).startswith(
        "compress-"
    )


def first_sight(case: Case, verdicts: Mapping[str, Verdict | None]) -> str:
    """BYTE, or ROW where the first byte says nothing of what a reader can see.

    That is so of what is compressed, and where the first byte comes sooner and the first row does not. Where
    no row can be told, it is BYTE all the same.
    """
    byte, row = verdicts.get(BYTE), verdicts.get(ROW)
    if row is None or row.estimate is None:
        return BYTE
    if is_compressed(case):
        return ROW
    sooner = byte is not None and byte.kind is Kind.BETTER
    return ROW if sooner and row.kind in {Kind.SAME, Kind.WORSE, Kind.UNDECIDED} else BYTE
