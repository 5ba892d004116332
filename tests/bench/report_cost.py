"""What the report on a large run costs: seconds, peak memory and the size of the page.

The run is made up, and stored as every run is: 100 trials of 10,000 requests, with memory timelines and
traces. The verb runs as a process of its own, as people run it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.table import digits
from tests.bench.tables import parser, publish, spread, table
from tests.known_run import Truth, make_known_run, stream
from tests.results.examples import WHOLE

ROWS = (1, 5, 10, 50, 100, 500, 1000, 5000)
TRACE_POINTS = 20_000
MOST_S, MOST_BYTES, MOST_PAGE_BYTES = 10, 2**30, 5_000_000
#: Runs the verb, and then prints its own high-water mark (what the parent's books say of a child is not it).
CHILD = """
import re, sys
from pathlib import Path
from harness.cli import main
code = main(sys.argv[1:])
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
sys.exit(code)
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large a run is reported on, and how often: ``requests`` are those of each trial."""

    rows: Sequence[int]
    blocks: int
    requests: int
    rounds: int

    @property
    def trials(self) -> int:
        """Each block measures the whole form twice."""
        return self.blocks * (len(self.rows) + 2)


LARGE = Sizes(ROWS, 10, 10_000, 3)
SMOKE = Sizes(ROWS[::7], 5, 100, 1)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one report: its time, the peak of its process, and how large its files are."""

    seconds: float
    peak_bytes: int
    file_bytes: int


def main() -> None:
    """Make the store, then each report a few times."""
    options = parser(__doc__ or "").parse_args()
    sizes = SMOKE if options.smoke else LARGE
    with tempfile.TemporaryDirectory() as name:
        store = make_known_run(
            Path(name) / "large.sqlite",
            _truths(sizes.rows),
            blocks=sizes.blocks,
            requests=sizes.requests,
            trace_points=TRACE_POINTS,
        )
        found = {
            form: [_cost(store, form, Path(name) / form / "report") for _ in range(sizes.rounds)]
            for form in ("html", "markdown")
        }
        size = store.stat().st_size
    publish("report_cost", _text(found, sizes, size), write=options.write)


def _truths(rows: Sequence[int]) -> list[Truth]:
    return [
        Truth(WHOLE, 50),
        *(
            Truth(
                stream(number),
                1 + number / 500,
                memory_mib=1,
                cpu_ms_per_mb=20 + 60 / number,
                chunk_bytes=90 * number,
            )
            for number in rows
        ),
    ]


def _cost(store: Path, form: str, output: Path) -> Cost:
    words = ["report", str(store), "--format", form, "--output", str(output)]
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, *words], capture_output=True, text=True, timeout=100, check=False
    )
    seconds = time.monotonic() - begin
    if done.returncode:
        raise SystemExit(done.stderr)
    files = [path for path in output.parent.rglob("*") if path.is_file()]
    return Cost(seconds, int(done.stdout.split()[-1]) * 1024, sum(path.stat().st_size for path in files))


def _text(found: dict[str, list[Cost]], sizes: Sizes, store_bytes: int) -> str:
    rows = [
        [
            form,
            spread([cost.seconds for cost in costs]),
            f"{max(cost.peak_bytes for cost in costs) / 2**20:,.0f} MiB",
            f"{digits(max(cost.file_bytes for cost in costs) / 1e6)} MB",
        ]
        for form, costs in found.items()
    ]
    costs: Sequence[Cost] = [cost for several in found.values() for cost in several]
    kept = all(
        cost.seconds <= MOST_S and cost.peak_bytes <= MOST_BYTES and cost.file_bytes <= MOST_PAGE_BYTES
        for cost in costs
    )
    return (
        f"{sizes.trials * sizes.requests:,} requests in {sizes.trials} trials, a store of "
        f"{store_bytes / 1e6:,.0f} MB; the whole process. Targets: {MOST_S} s, {MOST_BYTES / 2**30:g} GiB, "
        f"{MOST_PAGE_BYTES / 1e6:g} MB: {'reached' if kept else 'not reached'}.\n\n"
        + table(["report", "seconds", "peak memory", "files"], rows)
    )


if __name__ == "__main__":
    main()
