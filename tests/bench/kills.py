"""One run that is killed fifty times: what is lost, measured twice, or left behind.

``python -m tests.bench.kills``: at random instants, in turns the harness, the supervisor, the driver and the
server; each second time beside a reader that has stalled.
"""

from __future__ import annotations

import itertools
import secrets
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.bench.tables import parser, publish, table
from tests.cli.kills import VICTIMS, Endurance, Kill
from tests.harness.programs.branded import new_brand

_HEADINGS = (
    "killed with SIGKILL",
    "times",
    "was there",
    "beside a stalled reader",
    "finished trials lost",
    "measured twice or changed",
    "out of the planned order",
    "processes left",
    "temporary files left to the next",
)


def main() -> None:
    options = parser("a run that is killed at random instants").parse_args()
    kills, blocks = (4, 4) if options.smoke else (50, 40)
    seed = secrets.randbelow(2**31)
    with tempfile.TemporaryDirectory(prefix="sg-kills-") as folder, new_brand() as brand:
        endurance = Endurance(Path(folder), brand, blocks=blocks, seed=seed)
        endurance.begin()
        seen = []
        for number, victim in zip(range(kills), itertools.cycle(VICTIMS)):
            seen.append(endurance.kill(victim, stalled=number // len(VICTIMS) % 2 == 1))
            print(seen[-1], file=sys.stderr)
        run = endurance.finish()
        files_in_the_end = endurance.files()
        whole = [trial.slot for trial in run.trials] == list(run.header.slots)
    rows = [row(victim, [kill for kill in seen if kill.victim == victim]) for victim in VICTIMS]
    rows.append(row("all", seen))
    verdict = "each once, in the planned order" if whole and endurance.kept(run) else "NOT AS PLANNED"
    words = (
        f"{kills} kills of one run of {len(run.header.slots)} trials, which then went on to its end "
        f"(seed {seed}). In the end its trials were there: {verdict}."
    )
    publish("kills", f"{words}\n\n{table(_HEADINGS, rows)}", write=options.write)
    harmed = any(kill.lost or kill.changed or kill.out_of_order or kill.left for kill in seen)
    harmed = harmed or bool(files_in_the_end)
    if harmed or not whole or not endurance.kept(run):
        raise SystemExit(1)


def row(name: str, kills: Sequence[Kill]) -> list[str]:
    """What became of all of these."""
    counts = (
        len(kills),
        sum(kill.struck for kill in kills),
        sum(bool(kill.stalled) for kill in kills),
        sum(kill.lost for kill in kills),
        sum(kill.changed for kill in kills),
        sum(kill.out_of_order for kill in kills),
        sum(len(kill.left) for kill in kills),
        sum(len(kill.files) for kill in kills),
    )
    return [name, *map(str, counts)]


if __name__ == "__main__":
    main()
