"""The first row of JSON lines, JSON sequences and server-sent events, however the body is cut into reads.

The truths are told by other means than the finders': by looking at each beginning of a body as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.rows import RowFinder, row_finder

BOM = b"\xef\xbb\xbf"
RS = b"\x1e"


def finder(media_type: str) -> RowFinder:
    made = row_finder(media_type, None)
    assert made is not None
    return made


def found_after(looking: RowFinder, pieces: Sequence[bytes]) -> int | None:
    """How many bytes had arrived with the piece that completed the row."""
    arrived = 0
    for piece in pieces:
        arrived += len(piece)
        if looking.feed(memoryview(piece)):
            return arrived
    return None


def one_by_one(body: bytes) -> list[bytes]:
    return [body[at : at + 1] for at in range(len(body))]


def first(body: bytes, has_row: Callable[[bytes], bool]) -> int | None:
    """The length of the shortest beginning that holds a row."""
    return next((size for size in range(len(body) + 1) if has_row(body[:size])), None)


def lines_hold_row(begun: bytes) -> bool:
    return any(line.strip(b" \t\r") for line in begun.split(b"\n")[:-1])


def events_hold_row(begun: bytes) -> bool:
    text = begun.removeprefix(BOM).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    blocks = [block.split(b"\n") for block in text.split(b"\n\n")[:-1]]
    return any(line.partition(b":")[0] == b"data" for block in blocks for line in block)


def sequence_holds_row(begun: bytes) -> bool:
    def texts() -> Iterator[bytes]:
        for record in begun.split(RS)[1:]:
            yield from (record[:at] for at, byte in enumerate(record) if byte == ord("\n"))

    def parses(text: bytes) -> bool:
        try:
            json.loads(text)
        except ValueError:
            return False
        return True

    return any(parses(text) for text in texts())


TRUTHS = {
    "application/x-ndjson": lines_hold_row,
    "text/event-stream": events_hold_row,
    "application/json-seq": sequence_holds_row,
}

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=6)
    | st.sampled_from(['"', "\\", '\\"', "]}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
json_texts = st.builds(
    lambda value, indent, ascii_only: json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode(),
    json_values,
    st.sampled_from([None, 0, 2]),
    st.booleans(),
)
ndjson_lines = st.builds(
    lambda value, end: json.dumps(value).encode() + end, json_values, st.sampled_from([b"\n", b"\r\n"])
)
blank_lines = st.sampled_from([b"\n", b"\r\n", b" \t\n"])
ndjson_bodies = st.lists(blank_lines | ndjson_lines, max_size=6).map(b"".join)

# What is cut off has no line end behind it: the next separator is there at once.
cut_off = st.builds(lambda text, share: text[: len(text) * share // 100], json_texts, st.integers(0, 99))
sequence_bodies = st.builds(
    lambda before, records: before + b"".join(RS + record for record in records),
    st.sampled_from([b"", b"\n", b'{"no": "separator"}\n']),
    st.lists(cut_off | json_texts.map(lambda text: text + b"\n") | st.just(b"") | st.just(b"\n"), max_size=6),
)

event_lines = st.sampled_from(
    [
        *(b"data: {}", b"data:x", b"data", b"data:", b"data: a: b"),
        *(b": keep-alive", b":", b"retry: 3000", b"id: 7", b"event: tick", b":data: x"),
        *(b"data : x", b" data: x", b"Data: x", b"dataset: x", b"da", b"\xef\xbb\xbfdata: x", b""),
    ]
)
event_bodies = st.builds(
    lambda mark, lines: mark + b"".join(line + end for line, end in lines),
    st.sampled_from([b"", b"", BOM]),
    st.lists(st.tuples(event_lines, st.sampled_from([b"\n", b"\r\n", b"\r"])), max_size=12),
)

BODIES = {
    "application/x-ndjson": ndjson_bodies,
    "text/event-stream": event_bodies,
    "application/json-seq": sequence_bodies,
}


@pytest.mark.parametrize("media_type", BODIES)
@given(data=st.data())
def test_the_row_is_found_with_its_last_byte_however_the_body_is_cut(
    media_type: str, data: st.DataObject
) -> None:
    body = data.draw(BODIES[media_type])
    row = first(body, TRUTHS[media_type])
    assert found_after(finder(media_type), one_by_one(body)) == row
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=5)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    holding = next(
        (
            sum(map(len, pieces[: n + 1]))
            for n in range(len(pieces))
            if row and sum(map(len, pieces[: n + 1])) >= row
        ),
        None,
    )
    assert found_after(finder(media_type), pieces) == holding


EXAMPLES = [
    ("application/x-ndjson", b'{"a":1}\n{"a":2}\n', b'{"a":1}\n'),
    ("application/x-ndjson", b'\r\n\n{"a":1}\r\n{"a":2}\r\n', b'\r\n\n{"a":1}\r\n'),
    ("application/json-seq", b'\x1e{"a":\n 1}\n\x1e2\n', b'\x1e{"a":\n 1}\n'),
    ("application/json-seq", b'\x1e"a\\"\\\\"\n', b'\x1e"a\\"\\\\"\n'),
    ("application/json-seq", b'\x1e{"a": "cut\x1e\x1e12\n', b'\x1e{"a": "cut\x1e\x1e12\n'),
    ("text/event-stream", b"data: 1\n\ndata: 2\n\n", b"data: 1\n\n"),
    ("text/event-stream", b"data: 1\r\rdata: 2\r\r", b"data: 1\r\r"),
    # The second CR ends the blank line, for a browser too; its LF only belongs to it.
    ("text/event-stream", b"data: 1\r\n\r\ndata: 2\r\n\r\n", b"data: 1\r\n\r"),
    (
        "text/event-stream",
        b": hello\n\nretry: 10\n\nid: 1\ndata\n\n",
        b": hello\n\nretry: 10\n\nid: 1\ndata\n\n",
    ),
    ("text/event-stream", b"data: 1\ndata: 2\nid: 1\n\n", b"data: 1\ndata: 2\nid: 1\n\n"),
    ("text/event-stream", BOM + b"data: 1\n\n", BOM + b"data: 1\n\n"),
]


@pytest.mark.parametrize(("media_type", "body", "row"), EXAMPLES)
def test_each_byte_boundary(media_type: str, body: bytes, row: bytes) -> None:
    assert found_after(finder(media_type), one_by_one(body)) == len(row)
    for cut in range(len(body) + 1):
        expected = cut if cut >= len(row) else len(body)
        assert found_after(finder(media_type), [body[:cut], b"", body[cut:]]) == expected


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/x-ndjson", b"\n\r\n  \n"),
        ("application/x-ndjson", b'{"a":1}'),
        ("application/json-seq", b'{"no":"separator"}\n[1]\n'),
        ("application/json-seq", b"\x1e\n\x1e[1,\n2\n"),
        ("text/event-stream", b": keep-alive\n\n" * 3 + b"retry: 1\n\nid: 4\nevent: x\n\n"),
        ("text/event-stream", b"data: 1\r\nid: 2\r\n"),
        ("text/event-stream", b"dataset: 1\n\nData: 1\n\n data: 1\n\n:data: 1\n\n"),
    ],
)
def test_where_there_is_no_row_none_is_found(media_type: str, body: bytes) -> None:
    assert found_after(finder(media_type), one_by_one(body)) is None
    assert found_after(finder(media_type), [body]) is None


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/x-ndjson", b"1\n"),
        ("application/ndjson", b"1\n"),
        ("application/jsonl", b"1\n"),
        ("application/x-jsonl", b"1\n"),
        ("application/jsonlines; charset=utf-8", b"1\n"),
        ("application/x-jsonlines", b"1\n"),
        ("application/json-seq", RS + b"1\n"),
        ("application/geo+json-seq", RS + b"1\n"),
        ("text/event-stream; charset=utf-8", b"data\n\n"),
        ("text/csv;header=present", b"a\r\n1\r\n"),
        ("text/html ; charset=utf-8", b"<tbody><tr></tr>"),
    ],
)
def test_the_media_type_tells_what_a_row_is(media_type: str, body: bytes) -> None:
    assert not finder(media_type).feed(body[:-1])
    assert finder(media_type).feed(body)


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "text/csv-schema", ""])
def test_other_content_has_no_rows(media_type: str) -> None:
    assert row_finder(media_type, None) is None
