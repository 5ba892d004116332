"""Flights as CSV (RFC 4180), whole or in chunks; all forms add up to the same text."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice

from targets.flights import COLUMNS


def whole(rows: Iterable[tuple[str, ...]]) -> str:
    """Return the header and all of `rows` as one text."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return table.getvalue()


def by_rows(rows: Iterable[tuple[str, ...]], rows_a_chunk: int) -> Iterator[str]:
    """Yield chunks of `rows_a_chunk` rows; the first holds the header too, the last what is left."""
    remaining = iter(rows)
    chunk = io.StringIO()
    writer = csv.writer(chunk)
    writer.writerow(COLUMNS)
    while True:
        writer.writerows(islice(remaining, rows_a_chunk))
        if not chunk.tell():
            return
        yield _taken(chunk)


def by_bytes(rows: Iterable[tuple[str, ...]], bytes_a_chunk: int) -> Iterator[str]:
    """Yield chunks that end with the first row at which they hold `bytes_a_chunk` bytes or more.

    The first holds the header too, the last what is left. Characters are counted, which are never
    more than the bytes of their UTF-8, and exactly as many in the flights.
    """
    chunk = io.StringIO()
    writer = csv.writer(chunk)
    held = writer.writerow(COLUMNS)
    for row in rows:
        held += writer.writerow(row)
        if held >= bytes_a_chunk:
            yield _taken(chunk)
            held = 0
    if held:
        yield chunk.getvalue()


def _taken(chunk: io.StringIO) -> str:
    text = chunk.getvalue()
    chunk.seek(0)
    chunk.truncate()
    return text
