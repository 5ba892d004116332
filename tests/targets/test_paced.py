"""The paced probe keeps its schedule and its sizes."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import Any

from targets.paced import app, contents


def answer(query: str) -> tuple[list[Any], list[bytes], list[float]]:
    started: list[Any] = []

    def start_response(*words: Any) -> Any:
        started.extend(words)

    pieces, instants = [], []
    for piece in app({"QUERY_STRING": query}, start_response):
        pieces.append(piece)
        instants.append(time.monotonic())
    return started, pieces, instants


def test_the_query_says_how_many_pieces_how_large_and_how_far_apart() -> None:
    started, pieces, instants = answer("pieces=4&bytes=100&gap_ms=20")
    assert started[0] == "200 OK"
    assert [len(piece) for piece in pieces] == [100] * 4
    assert all(later - earlier >= 0.02 for earlier, later in pairwise(instants))


def test_each_piece_ends_a_row_and_two_answers_are_the_same() -> None:
    sizes = (16, 62, 64, 65, 512, 4096)
    for size in sizes:
        pieces = list(contents(3, size))
        assert all(piece.endswith(b"\r\n") and len(piece) == size for piece in pieces)
        assert pieces == list(contents(3, size))
        assert len(set(pieces)) == 3
