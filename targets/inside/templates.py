"""Looks at Jinja templates that are streamed: whether text comes out while rows still go in.

What is iterable in a template's context is handed on with a note of how much text had come out by each of its
rows. Nothing is slowed down: the order of rows and text is the same however fast they are.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .asking import ask
from .constructs import constructs_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

#: More rows than that show nothing more.
_MOST_ROWS = 5000
#: What these put into a context (like Flask's g) are no rows.
_OF_FRAMEWORKS = frozenset(("flask", "werkzeug", "jinja2", "django"))


class _Text:
    """What has come out of a template: characters, events, the largest of these."""

    def __init__(self) -> None:
        self.characters = self.events = self.largest = 0

    def note(self, size: int) -> None:
        self.characters += size
        self.events += 1
        self.largest = max(self.largest, size)


class _Rows:
    """Some iterable of a context, which notes how far the text was at its first and its latest row.

    In all else it is the iterable: what has a length or can be called keeps that by staying unwrapped.
    """

    def __init__(self, rows: Any, text: _Text) -> None:
        self._rows = rows
        self._text = text
        self._counts = {"rows": 0, "at_first": 0, "at_last": 0}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rows, name)

    def __str__(self) -> str:
        return str(self._rows)

    def __contains__(self, item: Any) -> bool:
        return item in self._rows

    def __getitem__(self, key: Any) -> Any:
        return self._rows[key]

    def __iter__(self) -> Iterator[Any]:
        for row in self._rows:
            if not self._counts["rows"]:
                self._counts["at_first"] = self._text.characters
            self._counts["rows"] += 1
            self._counts["at_last"] = self._text.characters
            if self._counts["rows"] > _MOST_ROWS:
                return
            yield row

    def report(self) -> dict[str, int]:
        return self._counts


class _Iterator(_Rows):
    """The same of what is its own iterator."""

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        row = next(self._rows)
        counts = self._counts
        if not counts["rows"]:
            counts["at_first"] = self._text.characters
        counts["rows"] += 1
        counts["at_last"] = self._text.characters
        if counts["rows"] > _MOST_ROWS:
            raise StopIteration
        return row


def watched(value: Any, text: _Text) -> Any:
    """The value, or where it may hold rows that nobody has yet, something like it that notes them."""
    if type(value).__module__.partition(".")[0] in _OF_FRAMEWORKS or isinstance(value, type):
        return value
    if not hasattr(value, "__iter__") or hasattr(value, "__len__") or callable(value):
        return value
    return _Iterator(value, text) if hasattr(value, "__next__") else _Rows(value, text)


def look_at_templates(app: Any, job: dict[str, Any]) -> list[dict[str, Any]]:
    """The templates that one request streams, and what became of their rows; asks once."""
    jinja = sys.modules.get("jinja2")
    if jinja is None:
        return []
    template_class = jinja.environment.Template
    original = template_class.generate
    found: list[tuple[Any, _Text, list[_Rows]]] = []

    def generate(template: Any, *args: Any, **kwargs: Any) -> Iterator[str]:
        text = _Text()
        context = {name: watched(value, text) for name, value in dict(*args, **kwargs).items()}
        found.append((template, text, [value for value in context.values() if isinstance(value, _Rows)]))
        for event in original(template, context):
            text.note(len(event))
            yield event

    template_class.generate = generate
    try:
        ask(app, job)
    finally:
        template_class.generate = original
    return [
        {
            "name": template.name,
            "characters": text.characters,
            "events": text.events,
            "largest": text.largest,
            "iterables": [rows.report() for rows in iterables],
            "constructs": constructs_of(template.environment, template.name),
        }
        for template, text, iterables in found
    ]
