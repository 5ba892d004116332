"""Writes the tables, sentences and pictures of the README from the reference run.

``python -m tests.reference_tables`` rewrites them; a test compares.
"""

from __future__ import annotations

import math
import re
import sqlite3
import statistics
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from analysis.findings import find
from analysis.report.content import report
from analysis.report.markdown import pictures as report_pictures
from analysis.statistics.signed_rank import hodges_lehmann
from analysis.summary import labels, summarize, valid_by_block
from analysis.table import amount, markdown, times
from harness.suites.gates import stored_gates
from results.metrics import FIGURES
from results.run import Run
from results.store import Store

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "results" / "reference" / "quick.sqlite"
DOCUMENTS = (ROOT / "README.md",)
#: Those of the report's pictures that the README shows, in their folder.
PICTURES = ROOT / "docs" / "pictures"
_BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rewritten(text: str, run: Run) -> str:
    """The text with every generated block made anew from the run."""
    blocks = generated(run)
    return _BLOCK.sub(lambda match: f"{match[1]}{blocks[match[2]]}\n{match[3]}", text)


def pictures(store: Store) -> Mapping[str, str]:
    """The report's pictures that the README names, by file name."""
    run = store.read()
    made = report_pictures(report(store, run, find(run, *stored_gates(run.header, store.path))))
    text = (ROOT / "README.md").read_text("utf-8")
    return {name: svg for name, svg in made.items() if f"docs/pictures/{name}" in text}


def generated(run: Run) -> Mapping[str, str]:
    """The content of each block by name."""
    return {"answers": _answers(run), "table": markdown(summarize(run)), "machine": _machine(run)}


def _answers(run: Run) -> str:
    identities = {label: identity for identity, label in labels(run.header.cases).items()}

    def value(label: str, figure: str) -> str:
        trials = valid_by_block(run, identities[label]).values()
        values = [number for trial in trials if (number := trial.figures[figure]) is not None]
        return amount(statistics.median(values), FIGURES[figure].unit)

    def ratio(label: str, over: str, figure: str) -> float:
        own, base = valid_by_block(run, identities[label]), valid_by_block(run, identities[over])
        logs = []
        for block in own.keys() & base.keys():
            mine, other = own[block].figures[figure], base[block].figures[figure]
            assert mine is not None
            assert other is not None
            logs.append(math.log(mine / other))
        return math.exp(hodges_lehmann(logs))

    csv, page = "flights.csv", "flights.html"
    csv_gain = 1 / ratio(f"{csv} rows=500", f"{csv} whole", "ttfb_p50")
    page_gain = 1 / ratio(f"{page} n=500", f"{page} whole", "ttfb_p50")
    first_byte = (
        f"20,000 rows of CSV, built whole, send their first byte after {value(f'{csv} whole', 'ttfb_p50')}; "
        f"streamed with 500 rows a chunk, after {value(f'{csv} rows=500', 'ttfb_p50')}: "
        f"{csv_gain:.0f} times sooner. A page of 2,000 rows goes from {value(f'{page} whole', 'ttfb_p50')} "
        f"to {value(f'{page} n=500', 'ttfb_p50')} with `enable_buffering(500)`: {page_gain:.0f} times sooner."
    )
    memory = (
        f"The worker grows by {value(f'{csv} whole', 'peak_memory')} for the whole CSV and by "
        f"{value(f'{csv} rows=500', 'peak_memory')} for the streamed one; by "
        f"{value(f'{page} whole', 'peak_memory')} for the whole page and by "
        f"{value(f'{page} n=500', 'peak_memory')} for the streamed one."
    )
    buffering = (
        f"{times(ratio(f'{page} n=5', f'{page} whole', 'cpu_per_mb'))} the CPU of the whole page, "
        f"{times(ratio(f'{page} n=5', f'{page} n=50', 'cpu_per_mb'))} that of `enable_buffering(50)` and "
        f"{times(ratio(f'{page} n=5', f'{page} n=500', 'cpu_per_mb'))} that of `enable_buffering(500)`, "
        f"at {times(ratio(f'{page} n=5', f'{page} n=500', 'throughput'))} of the latter's throughput. "
        f"The first byte comes after {value(f'{page} n=5', 'ttfb_p50')}, with 500 after "
        f"{value(f'{page} n=500', 'ttfb_p50')}."
    )
    one_row = (
        f"{times(ratio(f'{csv} rows=1', f'{csv} rows=500', 'cpu_per_mb'))} the CPU of 500 rows a chunk, "
        f"at {times(ratio(f'{csv} rows=1', f'{csv} rows=500', 'throughput'))} of its throughput."
    )
    return "\n".join(
        [
            f"- **What does the first byte gain?** {first_byte}",
            f"- **What does memory gain?** {memory}",
            f"- **What does `enable_buffering(5)` cost?** {buffering}",
            f"- **What does one row a chunk cost?** {one_row}",
        ]
    )


def _busiest_client() -> float:
    """The largest share of its core that the load driver used in any window, 0 to 1."""
    uri = f"{REFERENCE.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as store:
        share: float = store.execute(
            "SELECT max(1.0 * client_cpu_ns / client_wall_ns) FROM trial"
        ).fetchone()[0]
    return share


def _machine(run: Run) -> str:
    environment = run.header.environment
    packages = environment["packages"]
    return (
        f"{len(run.trials)} trials in {run.header.blocks} blocks, windows of {run.header.window_s:g} s, "
        f"one user, gunicorn {packages['gunicorn']} with a sync worker, Flask {packages['flask']}, "
        f"Jinja {packages['jinja2']}, Python {environment['python']}, on {environment['cpu_count']} cores of "
        f"{environment['cpu']} under {environment['system']} {environment['kernel']}, "
        f"seed {run.header.seed}. "
        f"The load driver used at most {_busiest_client():.0%} of its own core (with the smallest chunks)."
    )


def main() -> None:
    with Store.open(REFERENCE) as store:
        run = store.read()
        texts = pictures(store)
    PICTURES.mkdir(exist_ok=True)
    for name, text in texts.items():
        (PICTURES / name).write_text(text, "utf-8")
    for document in DOCUMENTS:
        document.write_text(rewritten(document.read_text("utf-8"), run), "utf-8")


if __name__ == "__main__":
    main()
