"""How a bench prints: Markdown tables of medians with their spreads, and into the docs when asked.

Every bench is a script, ``python -m tests.bench.NAME``, with ``--smoke`` (seconds, for CI: the same code on
small sizes) and ``--write`` (replace its block in the page of docs/ that has one by what it printed).
"""

from __future__ import annotations

import argparse
import re
import shlex
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from analysis.table import digits

DOCUMENTS = Path(__file__).parent.parent.parent / "docs"


def parser(description: str) -> argparse.ArgumentParser:
    """An argument parser with the options that every bench has."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--smoke", action="store_true", help="small sizes: the bench works, no figures")
    made.add_argument("--write", action="store_true", help="put the tables into the docs")
    return made


def spread(values: Sequence[float]) -> str:
    """The median with the least and the greatest value, like ``0.31 (0.29 to 0.4)``."""
    return f"{digits(statistics.median(values))} ({digits(min(values))} to {digits(max(values))})"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = [headings, ["---"] + ["--:"] * (len(headings) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def publish(name: str, text: str, *, write: bool) -> None:
    """Print a bench's tables; with ``write``, also put them into the bench's block of the docs.

    The block stands between ``<!-- bench: NAME -->`` and ``<!-- end -->`` and begins with the command.
    Raises SystemExit when no page has such a block.
    """
    sys.stdout.write(text + "\n")
    if not write:
        return
    command = shlex.join(["python", "-m", f"tests.bench.{name}", *sys.argv[1:]])
    block = re.compile(rf"(<!-- bench: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    pages = [page for page in DOCUMENTS.glob("*.md") if block.search(page.read_text("utf-8"))]
    if not pages:
        raise SystemExit(f"no page of {DOCUMENTS} has <!-- bench: {name} --> and <!-- end -->; add them")
    for page in pages:
        made = block.sub(
            lambda match: f"{match[1]}`{command}`\n\n{text}\n{match[2]}", page.read_text("utf-8")
        )
        page.write_text(made, "utf-8")
