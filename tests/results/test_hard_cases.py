"""What is stored of hang-ups and soaks is what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from results.drops import LineDrops
from results.floors import MemoryFloor
from results.follow_ups import STRUCT, FollowUps, unpack_follow_ups
from results.records import MISSING
from results.store import Store
from tests.results.examples import (
    CLOSE_NS,
    OPEN_NS,
    STREAM,
    load_record,
    run_header,
    trial_record,
    verification,
)


def packed(follow_ups: Sequence[tuple[int, int]]) -> bytes:
    return b"".join(STRUCT.pack(*item, 0) for item in follow_ups)


def test_hang_ups_inside_the_window_are_counted_with_those_that_had_no_answer(tmp_path: Path) -> None:
    follow_ups = unpack_follow_ups(
        packed(
            [
                (OPEN_NS - 1, MISSING),
                (OPEN_NS, OPEN_NS + 5),
                (OPEN_NS + 9, MISSING),
                (CLOSE_NS - 1, CLOSE_NS + 7),
                (CLOSE_NS, MISSING),
            ]
        )
    )
    assert follow_ups.dtype == np.int64
    floors = [MemoryFloor(part, OPEN_NS + part, 10 * part, 2**20 + part) for part in range(12)]
    with Store.create(tmp_path / "run.sqlite", run_header()) as store:
        store.add_trial(trial_record(0, load=load_record([], follow_ups=follow_ups)))
        store.add_trial(trial_record(1, floors=floors, line_drops=LineDrops(7, 1)))
        store.add_trial(trial_record(2, load=load_record([], follow_ups=unpack_follow_ups(b""))))
        hung, soaked, none = store.read().trials
    assert (hung.follow_ups, list(hung.floors)) == (FollowUps(3, 1), [])
    assert (soaked.follow_ups, list(soaked.floors)) == (None, floors)
    assert (hung.line_drops, soaked.line_drops) == (None, LineDrops(7, 1))
    assert none.follow_ups is None


def test_the_prefix_that_verify_learned_is_kept(tmp_path: Path) -> None:
    learned = verification(prefix_bytes=100, prefix_digest="0f" * 8)
    with Store.create(tmp_path / "run.sqlite", run_header()) as store:
        store.add_verifications({STREAM.identity: learned})
        assert store.read().verifications == {STREAM.identity: learned}
