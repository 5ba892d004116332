"""Columns share what room there is, and no word is cut."""

from __future__ import annotations

import re

import pytest

from analysis.conformance.sheets import Sheet, sheets
from harness.cli.sheets import print_sheet, shared_width
from tests.servers_page import kept

COLUMNS = [["server", "gunicorn/gthread"], ["the app", "blocks, 4.06 MiB, RSS +128 KiB"], ["rest", "whole"]]


@pytest.mark.parametrize(
    ("room", "widths"),
    [(60, [16, 30, 5]), (51, [16, 30, 5]), (40, [16, 19, 5]), (29, [16, 8, 5]), (28, [16, 7, 5]), (27, None)],
)
def test_the_widest_column_gives_way_down_to_its_longest_word(room: int, widths: list[int] | None) -> None:
    assert shared_width(COLUMNS, room) == widths


def test_an_empty_cell_needs_no_room() -> None:
    assert shared_width([["a", ""], ["", ""]], 1) == [1, 0]


@pytest.mark.parametrize("made", sheets(kept()), ids=lambda made: made.title)
def test_every_table_of_the_page_is_one_at_80_columns(
    made: Sheet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    print_sheet(made)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    (rule,) = [line for line in lines if set(line) <= {"━", "╇", "─", "┼"}]
    assert re.split("[╇┼]", rule)[1:], "columns, not paragraphs"
    assert len(re.split("[╇┼]", rule)) == len(made.headings)
    shown = "".join(lines)
    for word in (word for row in made.rows for cell in row[1:] for word in cell.split()):
        assert word in shown, "no word is cut"


def test_a_label_is_broken_only_where_there_is_no_room_for_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Sheet("", ["server", "app"], [["waitress/send_bytes=1", "blocks"], ["uwsgi", "waits"]])

    def labels(columns: int) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(columns))
        print_sheet(made)
        return [line.partition("│")[0].strip() for line in capsys.readouterr().out.splitlines()][2:]

    assert labels(40) == ["waitress/send_bytes=1", "uwsgi"]
    assert labels(26) == ["waitress/", "send_bytes=1", "uwsgi"]
    assert labels(19) == ["waitress/", "send_bytes=", "1", "uwsgi"]


def test_a_paragraph_tells_heading_and_answer_apart(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    print_sheet(Sheet("", ["server", "a length", "a length, then"], [["uwsgi", "length", "closed"]]))
    assert capsys.readouterr().out == "server: uwsgi; a length: length; a length, then: closed\n"
