"""Text from an app or a stored file, made fit to be shown: it cannot hide or move what stands around it."""

from __future__ import annotations

import unicodedata

#: Control characters and line ends, those that turn the direction of writing or join and hide, lone
#: surrogates, and what is no character (XML forbids some of each).
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})
_MOST = 500


def printable(text: str, most: int = _MOST) -> str:
    r"""The text on one line, with what cannot be seen written as an escape (``\n``, ``\u202e``).

    Of more than ``most`` characters the first ones are kept, and a "…".
    """
    short = text if len(text) <= most else f"{text[: most - 1]}…"
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if unicodedata.category(character) in _HIDDEN
        else character
        for character in short
    )


def printable_lines(text: str) -> str:
    """The same of each line: for what a server wrote, whose last lines say why it ended."""
    return "\n".join(map(printable, text.split("\n")))
