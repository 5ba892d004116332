"""How often ab finds a change, and how often it cries wolf: ``python -m tests.bench.ab_power --times 10``.

Each time a repository is made whose app costs CPU for each row; its head commit costs 15% more, or the same.
`streamgauge ab` is then run on it as a user would, with one gate, and its exit code is the answer. The
app's whole form alone is measured: three trials a block.
"""

from __future__ import annotations

import collections
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.tables import parser, publish, table
from tests.revisions import SUITE, Repository, working

#: Rounds of a loop a row: 20 rows take some tens of milliseconds.
_ROUNDS = 100_000
_TIMEOUT_S = 3600
_ANSWERS = {0: "not worse", 1: "worse", 3: "could not be measured"}
_UNCONFIRMED = "not confirmed"
_GATE = """
[[gate]]
case = "orders whole"
metric = "{metric}"
margin = "5%"
"""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What each ab measures."""

    blocks: int
    window_s: float
    metric: str


def answer(change: float, sizes: Sizes) -> str:
    """What one ab says of a head whose rows cost by this share more."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        repository = Repository.made_in(folder / "shop")
        suite = SUITE.replace('"0.3s"', f'"{sizes.window_s:g}s"') + _GATE.format(metric=sizes.metric)
        repository.commit({"suite.toml": suite} | working(_ROUNDS))
        repository.commit(working(round(_ROUNDS * (1 + change))))
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("streamgauge")), "ab", str(repository.path / "suite.toml"),
                "--base", "HEAD~1", "--only", "form=whole", "--blocks", str(sizes.blocks),
                "--output", str(folder / "ab.sqlite"), "--no-report",
            ],
            cwd=folder,
            env=os.environ,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )  # fmt: skip
    if done.returncode not in _ANSWERS:
        raise SystemExit(f"ab ended with code {done.returncode}:\n{done.stdout}{done.stderr}")
    gate = re.search(r"^gate: .*$", done.stdout, re.MULTILINE)
    sys.stderr.write(f"{change:+.0%}: code {done.returncode}: {gate[0] if gate else done.stderr.strip()}\n")
    unconfirmed = gate is not None and "NOT CONFIRMED" in gate[0]
    return _UNCONFIRMED if unconfirmed else _ANSWERS[done.returncode]


def tally(answers: Mapping[float, Sequence[str]]) -> str:
    """A row for each change: how often each answer was given."""
    headings = [*_ANSWERS.values(), _UNCONFIRMED]
    rows = []
    for change, given in answers.items():
        counts = collections.Counter(given)
        name = f"{change:+.0%}" if change else "none"
        rows.append([name, *(f"{counts[heading]} of {len(given)}" for heading in headings)])
    return table(["change of the rows' cost", *headings], rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    words = parser("How often ab finds a change, and how often it cries wolf")
    words.add_argument("--times", type=int, default=10, help="how many abs of each kind")
    words.add_argument("--change", type=float, default=0.15, help="by how much head's rows cost more")
    words.add_argument("--blocks", type=int, default=10, help="blocks of each ab")
    words.add_argument("--window", type=float, default=1.0, help="seconds of each trial's window")
    words.add_argument("--metric", default="ttlb_p50", help="the figure that is gated")
    options = words.parse_args(arguments)
    if options.smoke:
        options.times, options.blocks, options.window = 1, 5, 0.1
    sizes = Sizes(options.blocks, options.window, options.metric)
    changes = [0.0] if options.smoke else [options.change, 0.0]
    answers: dict[float, list[str]] = {change: [] for change in changes}
    for _ in range(options.times):
        for change, given in answers.items():  # by turns: the machine's moods hit both alike
            given.append(answer(change, sizes))
    caption = (
        f"What ab said of a head whose rows cost {options.change:.0%} more, and of one that costs the same, "
        f"in {options.times} abs of each (a gate on `{sizes.metric}` with a margin of 5%, "
        f"{sizes.blocks} blocks, windows of {sizes.window_s:g} s):"
    )
    publish("ab_power", f"{caption}\n\n{tally(answers)}", write=options.write)


if __name__ == "__main__":
    main()
