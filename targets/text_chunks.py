"""Pieces of text, so many of them joined to a chunk."""

from collections.abc import Iterable, Iterator
from itertools import islice


def joined(pieces: Iterable[str], pieces_a_chunk: int) -> Iterator[str]:
    """Yield chunks of `pieces_a_chunk` pieces, none of which is empty; the last holds what is left."""
    remaining = iter(pieces)
    while chunk := "".join(islice(remaining, pieces_a_chunk)):
        yield chunk
