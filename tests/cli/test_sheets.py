"""Columns share what room there is, and no word is cut."""

from __future__ import annotations

import pytest

from harness.cli.sheets import shared_width

COLUMNS = [["server", "gunicorn/gthread"], ["the app", "blocks, 4.06 MiB, RSS +128 KiB"], ["rest", "whole"]]


@pytest.mark.parametrize(
    ("room", "widths"),
    [(60, [16, 30, 5]), (51, [16, 30, 5]), (40, [16, 19, 5]), (29, [16, 8, 5]), (28, [16, 7, 5]), (27, None)],
)
def test_the_widest_column_gives_way_down_to_its_longest_word(room: int, widths: list[int] | None) -> None:
    assert shared_width(COLUMNS, room) == widths


def test_an_empty_cell_needs_no_room() -> None:
    assert shared_width([["a", ""], ["", ""]], 1) == [1, 0]
