"""What cannot be seen is written so that it can be."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.exports.printable import printable, printable_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("flights.csv rows=1, é 中 ×", "flights.csv rows=1, é 中 ×"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("\x00\x1b[31m\x7f\x85", r"\x00\x1b[31m\x7f\x85"),
        ("\u202eabc\u200f\u2066\ufeff", r"\u202eabc\u200f\u2066\ufeff"),
        ("a\u2028b\u2029", r"a\u2028b\u2029"),
        ("\ud800 \uffff \U0001fffe", r"\ud800 \uffff \U0001fffe"),
    ],
)
def test_what_is_seen_stays_and_the_rest_is_told(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text())
def test_no_text_leaves_anything_hidden(text: str) -> None:
    assert printable(text).isprintable() or all(
        unicodedata.category(character) in {"Zs", "Co"}
        for character in printable(text)
        if not character.isprintable()
    )
    printable(text).encode()


def test_a_long_text_is_cut() -> None:
    assert printable("a" * 10, 10) == "a" * 10
    assert printable("a" * 11, 10) == "a" * 9 + "…"


def test_lines_stay_lines_and_each_is_cut_by_itself() -> None:
    assert printable_lines("a" * 600 + "\nwhy\x1b[2J\r\n") == "a" * 499 + "…\nwhy\\x1b[2J\\r\n"
