"""Names for cases where a format takes a name for the thing itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from analysis.exports.printable import printable
from analysis.findings import CaseFinding, Findings


def named_cases(findings: Findings) -> Iterator[tuple[str, CaseFinding]]:
    """Each case with its label made printable; where several come to the same, they are numbered."""
    seen: Counter[str] = Counter()
    for case in findings.cases:
        name = printable(case.summary.label)
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name} #{seen[name]}", case
