"""What `conform` found, as Markdown."""

from __future__ import annotations

from analysis.conformance.sheets import BROKEN_MARK, Sheet, breaches, conditions, sheets
from analysis.table import escaped
from results.conformance.findings import Conformance


def markdown(found: Conformance) -> str:
    """Everything: when and with what, every table under its title, the rules that are broken."""
    parts = [conditions(found)]
    for made in sheets(found):
        parts += [f"### {made.title}", *([made.note] if made.note else []), table(made)]
    if told := broken(found):
        parts += ["### Rules that are broken", told]
    for server in found.servers:
        for check, reason in server.failures.items():
            first = reason.splitlines()[0]
            parts.append(f"{escaped(server.label)}, {check}: could not be told: {escaped(first)}")
    parts += [f"{item.kind} is not installed (its package: {item.distribution})." for item in found.missing]
    return "\n\n".join(parts) + "\n"


def table(made: Sheet) -> str:
    """One table, without a line break at its end."""
    lines = [made.headings, ["---"] * len(made.headings), *made.rows]
    return "\n".join(f"| {' | '.join(_cell(text) for text in line)} |" for line in lines)


def broken(found: Conformance) -> str:
    """The rules that are broken, a line each; empty without one."""
    return "\n".join(f"- {BROKEN_MARK} {escaped(item.sentence)}" for item in breaches(found.servers))


def _cell(text: str) -> str:
    return text if set(text) == {"-"} else escaped(text)
