"""The first row inside of compressed content, however its encoding is written and cut."""

from __future__ import annotations

import gzip
import zlib

import pytest

from scenarios.rows import RowFinder, row_finder

CSV = b"a,b\r\n1,2\r\n" + b"3,4\r\n" * 200
RAW = zlib.compressobj(wbits=-zlib.MAX_WBITS)
ENCODED = {
    "gzip": ("gzip", gzip.compress(CSV)),
    "gzip in two members, the row in the second": ("gzip", gzip.compress(CSV[:5]) + gzip.compress(CSV[5:])),
    "gzip in many members": ("gzip", b"".join(gzip.compress(CSV[at : at + 1]) for at in range(20))),
    "deflate in its wrapper": ("deflate", zlib.compress(CSV)),
    "deflate without its wrapper": ("deflate", RAW.compress(CSV) + RAW.flush()),
}


def finder(encoding: str) -> RowFinder:
    made = row_finder("text/csv", encoding, None)
    assert made is not None
    return made


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
@pytest.mark.parametrize("name", ENCODED)
def test_the_row_is_found_once_all_of_it_is_there(name: str, size: int) -> None:
    encoding, content = ENCODED[name]
    pieces = [memoryview(content)[at : at + size] for at in range(0, len(content), size)]
    whole = finder(encoding)
    assert [whole.feed(piece) for piece in pieces[:1000]].count(True) >= 1
    # and not before: without its last byte a row is none
    cut = finder("gzip")
    assert not cut.feed(gzip.compress(b"a,b\r\n1,2")[:-8])


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_content_that_is_not_what_its_encoding_says_is_an_error(encoding: str) -> None:
    with pytest.raises(zlib.error):
        finder(encoding).feed(b"\xff\xff\xff\xff plain text")
