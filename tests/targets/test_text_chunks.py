from collections.abc import Iterator

import pytest

from targets.text_chunks import joined


@pytest.mark.parametrize("size", [1, 2, 7, 100])
@pytest.mark.parametrize("count", [0, 1, 6, 7, 8, 14])
def test_a_chunk_holds_the_pieces_asked_for_and_the_last_what_is_left(count: int, size: int) -> None:
    pieces = [f"{number};" for number in range(count)]
    chunks = list(joined(pieces, size))
    assert "".join(chunks) == "".join(pieces)
    assert [chunk.count(";") for chunk in chunks[:-1]] == [size] * (len(chunks) - 1)
    assert all(0 < chunk.count(";") <= size for chunk in chunks)


def test_a_chunk_comes_while_pieces_are_read() -> None:
    taken = []

    def pieces() -> Iterator[str]:
        for number in range(100):
            taken.append(number)
            yield "x"

    next(joined(pieces(), 10))
    assert len(taken) == 10
