import csv
import io
from collections.abc import Iterator
from itertools import pairwise

import pytest

from targets import csv_chunks
from targets.flights import COLUMNS

NASTY = (
    'say "hi"',
    "a,b",
    "two\r\nlines",
    "line\nfeed",
    " space ",
    "",
    "é→😀",
    "'",
    *("x" for _ in range(len(COLUMNS) - 8)),
)
PLAIN = tuple(f"cell{i}" for i in range(len(COLUMNS)))


def test_quoting_is_that_of_rfc_4180() -> None:
    text = csv_chunks.whole([NASTY])
    assert text.startswith(",".join(COLUMNS) + "\r\n")
    assert '"say ""hi""","a,b","two\r\nlines","line\nfeed", space ,,é→😀,\',x,' in text
    assert text.endswith("\r\n")
    assert list(csv.reader(io.StringIO(text, newline=""))) == [list(COLUMNS), list(NASTY)]


@pytest.mark.parametrize("rows", [[], [NASTY], [NASTY, PLAIN] * 7, [PLAIN] * 100])
@pytest.mark.parametrize("size", [1, 2, 7, 100, 5_000])
def test_chunks_add_up_to_the_whole(rows: list[tuple[str, ...]], size: int) -> None:
    whole = csv_chunks.whole(rows)
    assert "".join(csv_chunks.by_rows(rows, size)) == whole
    assert "".join(csv_chunks.by_bytes(rows, size)) == whole


def test_chunks_come_while_rows_are_read() -> None:
    taken = []

    def rows() -> Iterator[tuple[str, ...]]:
        for number in range(100):
            taken.append(number)
            yield PLAIN

    for chunks in (csv_chunks.by_rows(rows(), 10), csv_chunks.by_bytes(rows(), 1_000)):
        taken.clear()
        next(chunks)
        assert len(taken) <= 10


def test_a_chunk_of_rows_never_cuts_a_quoted_line() -> None:
    chunks = list(csv_chunks.by_rows([NASTY] * 3, 1))
    rows = [list(csv.reader(io.StringIO(chunk, newline=""))) for chunk in chunks]
    assert rows == [[list(COLUMNS), list(NASTY)], [list(NASTY)], [list(NASTY)]]


def test_a_chunk_of_bytes_ends_with_the_row_that_fills_it() -> None:
    row = len(csv_chunks.whole([PLAIN])) - len(csv_chunks.whole([]))
    chunks = list(csv_chunks.by_bytes([PLAIN] * 100, 1_000))
    assert all(1_000 <= len(chunk) < 1_000 + row for chunk in chunks[:-1])
    assert 0 < len(chunks[-1]) < 1_000 + row
    assert all(before.endswith("\r\n") and after for before, after in pairwise(chunks))
