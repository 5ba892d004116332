"""``python -m tests.results.doomed_writer PATH [MOMENT]``: stores trials until it is killed.

It prints each position once the trial is acknowledged. With MOMENT it kills itself in the middle of
that trial, when some of its pages are in the file already.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

from results.records import RequestArray, Slot
from results.store import Store
from tests.results.examples import STREAM, load_record, request, run_header, trial_record

REQUESTS = 300
#: More than SQLite's page cache holds (2 MB): it has to write into the file before the commit.
SPILLING = 60_000


class DoomedRequests:
    """Looks like a request array, and kills the process when most of it is stored."""

    def __init__(self, row: list[int], part: slice = slice(None)) -> None:
        self._row = row
        self._part = part

    def __len__(self) -> int:
        return SPILLING + 1

    def __getitem__(self, part: slice) -> DoomedRequests:
        return DoomedRequests(self._row, part)

    def tolist(self) -> Iterator[list[int]]:
        for number in range(*self._part.indices(len(self))):
            if number == SPILLING:
                os.kill(os.getpid(), signal.SIGKILL)
            yield self._row


def main(path: Path, moment: int | None) -> None:
    slots = [Slot(position, position, STREAM.identity) for position in range(1000)]
    load = load_record([request() for _ in range(REQUESTS)])
    with Store.create(path, run_header(slots=slots)) as store:
        for slot in slots:
            if slot.position == moment:
                doomed = DoomedRequests(load.requests[0].tolist())
                load = replace(load, requests=cast("RequestArray", doomed))
            store.add_trial(trial_record(slot.position, load=load))
            print(slot.position, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None)
