"""No two things share a name."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analysis.exports.names import names


def test_a_second_one_is_numbered() -> None:
    assert names(["a", "b", "a", "a #2", "a"]) == ["a", "b", "a #2", "a #2 #2", "a #3"]
    assert names(["a" * 600 + "1", "a" * 600 + "2"])[1].endswith("… #2")


@given(st.lists(st.sampled_from(["a", "a #2", "a #2 #2", "\n", r"\n"]), max_size=12))
def test_names_differ(texts: list[str]) -> None:
    found = names(texts)
    assert len(set(found)) == len(found) == len(texts)
