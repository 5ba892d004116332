"""The deterministic bodies of an exact size, and where their first row ends; here CSV and an HTML page."""

from __future__ import annotations

import csv
import io
import itertools
import random
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING

from .streams import events, first_event_end, first_line_end, json_lines

if TYPE_CHECKING:
    from .reply import Reply

_HEADER = ["number", "carrier", "distance", "note"]
_CARRIERS = ["AA", "B6", "DL", "EV", "UA", "WN"]
_PAGE_HEAD = (
    "<!doctype html>\n<html><head><title>flights</title></head><body><table>\n"
    "<thead><tr><th>number</th><th>carrier</th><th>distance</th></tr></thead>\n<tbody>\n"
)
_PAGE_TAIL = "</tbody></table></body></html>\n"


@lru_cache(maxsize=8)
def content_of(reply: Reply) -> bytes:
    """The content, before any coding: exactly as many bytes as the chunks add up to."""
    size = sum(reply.yields)
    match reply.content:
        case "csv":
            return _csv(reply, size)
        case "page":
            return _page(reply, size)
        case "ndjson":
            return json_lines(size, reply.seed, _line_end(reply))
        case "events":
            return events(size, reply.seed, _line_end(reply))


def first_row_end(reply: Reply) -> int | None:
    """Content bytes up to and with the end of the first data row; None without such a row."""
    content = content_of(reply)
    if reply.content == "page":
        row = content.find(b"</tr>", max(content.find(b"<tbody"), 0))
        return row + len(b"</tr>") if b"<tbody" in content and row >= 0 else None
    if reply.content == "ndjson":
        return first_line_end(content)
    if reply.content == "events":
        return first_event_end(content, _line_end(reply))
    quoted, ends = False, 0
    for place, byte in enumerate(content):
        if byte == ord('"'):
            quoted = not quoted
        elif byte == ord("\n") and not quoted:
            ends += 1
            if ends == 2:  # the header's end is the first
                return place + 1
    return None


@lru_cache(maxsize=8)
def encoded_chunks(reply: Reply) -> tuple[bytes, ...]:
    """The body as it is yielded: content-coded, not yet framed."""
    content, start = content_of(reply), 0
    chunks = []
    for size in reply.yields:
        chunks.append(content[start : start + size])
        start += size
    if not reply.gzip:
        return tuple(chunks)
    compressor = zlib.compressobj(wbits=31)
    packed = [
        compressor.compress(chunk) + compressor.flush(zlib.Z_SYNC_FLUSH) if chunk else b"" for chunk in chunks
    ] or [b""]
    packed[-1] += compressor.flush()
    return tuple(packed)


def flipped_chunks(reply: Reply) -> tuple[bytes, ...]:
    """The same with the one byte flipped; raises ValueError when there is no such byte."""
    size, start = body_size(reply), 0
    offset = size // 2 if reply.flip_offset is None else reply.flip_offset
    if offset not in range(size):
        raise ValueError(f"flip_offset={offset} is outside of the body, which has {size} bytes")
    chunks = list(encoded_chunks(reply))
    for place, chunk in enumerate(chunks):
        if start <= offset < start + len(chunk):
            flipped = bytearray(chunk)
            flipped[offset - start] ^= 1
            chunks[place] = bytes(flipped)
        start += len(chunk)
    return tuple(chunks)


def body_size(reply: Reply) -> int:
    """Bytes of the whole body, content-coded."""
    return sum(map(len, encoded_chunks(reply)))


def body_of(reply: Reply, number: int = 1) -> bytes:
    """The whole body of the `number`-th response, content-coded, without transfer coding."""
    flips = reply.flip_at == number
    return b"".join(flipped_chunks(reply) if flips else encoded_chunks(reply))


def _line_end(reply: Reply) -> str:
    return "\n" if reply.eol == "lf" else "\r\n"


def _drawn(draw: random.Random) -> tuple[str, str]:
    """A carrier and a distance."""
    return draw.choice(_CARRIERS), str(draw.randrange(80, 5000))


def _csv(reply: Reply, size: int) -> bytes:
    draw = random.Random(reply.seed)  # noqa: S311
    newline = _line_end(reply)
    title = f'note, "free"{newline}text' if reply.quoted else _HEADER[-1]
    note = f'first, "quoted"{newline}line{newline}' if reply.quoted else "row 1"
    header = _record([*_HEADER[:-1], title], newline)
    parts = [header, _record(["1", *_drawn(draw), note], newline)]
    middles = [",{},{},the synthetic flight number ".format(*_drawn(draw)) for _ in range(997)]
    if size < len(header):
        return header[:size].encode()
    if size < len("".join(parts)):
        return _padded(header, size, newline).encode()
    made = 0
    for start in itertools.count(2, 1000):
        made += len(parts[-1])
        if made >= size:
            break
        numbers = range(start, start + 1000)
        parts.append("".join([f"{n}{middles[n % 997]}{n}{newline}" for n in numbers]))
    whole = "".join(parts)
    rows_end = whole.rindex(newline, 0, size) + len(newline)
    return _padded(whole[:rows_end], size, newline).encode()


def _padded(lines: str, size: int, newline: str) -> str:
    """The lines with what is missing in the last field, quoted or not."""
    inside = lines.removesuffix(newline).removesuffix('"')
    return inside + "x" * (size - len(lines)) + lines[len(inside) :]


def _record(fields: list[str], newline: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator=newline).writerow(fields)
    return text.getvalue()


def _page(reply: Reply, size: int) -> bytes:
    draw = random.Random(reply.seed)  # noqa: S311
    parts, number = [_PAGE_HEAD], 0
    left = size - len(_PAGE_HEAD) - len(_PAGE_TAIL)
    if left < 0:
        return (_PAGE_HEAD + _PAGE_TAIL)[:size].encode()
    while True:
        number += 1
        distance = draw.randrange(80, 5000)
        row = f"<tr><td>{number}</td><td>{draw.choice(_CARRIERS)}</td><td>{distance}</td></tr>\n"
        if len(row) > left:
            return "".join([*parts, " " * left, _PAGE_TAIL]).encode()
        parts.append(row)
        left -= len(row)
