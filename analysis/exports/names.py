"""Names where a format takes a name for the thing itself, so that no two things may share one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from analysis.exports.printable import printable
from analysis.findings import CaseFinding, Findings


def named_cases(findings: Findings) -> Iterator[tuple[str, CaseFinding]]:
    """Each case with its label, made a name."""
    return zip(names(case.summary.label for case in findings.cases), findings.cases, strict=True)


def names(texts: Iterable[str]) -> list[str]:
    """The texts made printable; where several come to the same, the later ones are numbered."""
    found: dict[str, None] = {}
    for text in texts:
        name = first = printable(text)
        number = 1
        while name in found:
            number += 1
            name = f"{first} #{number}"
        found[name] = None
    return list(found)
