"""Looks at Jinja templates that are streamed: whether each row that goes in comes out before the next one.

The rows of a template are slowed down and cut short: what is iterable in its context is handed on with a
pause before each item. Which constructs can hold it back is read from the template's syntax.
"""

from __future__ import annotations

import contextlib
import sys
import time
from time import monotonic_ns
from typing import TYPE_CHECKING

from .asking import Pieces, ask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_ROWS = 8
#: What these put into a context (like Flask's g) are no rows.
_OF_FRAMEWORKS = frozenset(("flask", "werkzeug", "jinja2"))
#: Filters that need all items before they can say the first.
_GREEDY_FILTERS = frozenset(
    (
        *("list", "sort", "length", "count", "join", "groupby", "reverse", "batch", "slice", "unique"),
        *("sum", "min", "max", "last", "random", "dictsort", "tojson"),
    )
)
#: What a loop can only tell when it has seen all of its items.
_GREEDY_LOOP = frozenset(("length", "revindex", "revindex0"))


class _PacedRows:
    """Some rows of an iterable, each after a pause; in all else it is the iterable."""

    def __init__(self, rows: Any, gap_s: float, pulls: list[int]) -> None:
        self._rows = rows
        self._gap_s = gap_s
        self._pulls = pulls

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rows, name)

    def __iter__(self) -> Iterator[Any]:
        for number, row in enumerate(self._rows):
            if number >= _ROWS:
                return
            time.sleep(self._gap_s)
            self._pulls.append(monotonic_ns())
            yield row


class _PacedList(list):  # type: ignore[type-arg]
    """The same of a list, which knows its length."""

    gap_s = 0.0
    pulls: list[int]

    def __iter__(self) -> Iterator[Any]:
        for row in list.__iter__(self):
            time.sleep(self.gap_s)
            self.pulls.append(monotonic_ns())
            yield row


def paced(value: Any, gap_s: float, pulls: list[int], listed: list[int]) -> Any:
    """The value, or where it holds rows, something like it that hands them out slowly.

    ``pulls`` gets the instants of rows that nobody has yet, ``listed`` those of rows that are in a list.
    """
    if type(value) is list and len(value) > 1:
        rows = _PacedList(value[:_ROWS])
        rows.gap_s, rows.pulls = gap_s, listed
        return rows
    if type(value).__module__.partition(".")[0] in _OF_FRAMEWORKS or isinstance(value, type):
        return value
    if hasattr(value, "__iter__") and not hasattr(value, "__len__"):
        return _PacedRows(value, gap_s, pulls)
    return value


def look_at_templates(app: Any, job: dict[str, Any]) -> list[dict[str, Any]]:
    """The templates that one request streams, and what became of their rows; asks once."""
    jinja = sys.modules.get("jinja2")
    if jinja is None:
        return []
    template_class = jinja.environment.Template
    original = template_class.generate
    gap_s = job["probe"]["gap_ms"] / 1000
    found: list[dict[str, Any]] = []

    def generate(template: Any, *args: Any, **kwargs: Any) -> Iterator[str]:
        pulls: list[int] = []
        listed: list[int] = []
        events = Pieces()
        given = dict(*args, **kwargs)
        context = {name: paced(value, gap_s, pulls, listed) for name, value in given.items()}
        found.append(
            {
                "name": template.name,
                "pulls": pulls,
                "listed": listed,
                "events": events,
                "environment": template.environment,
            }
        )
        for event in original(template, context):
            events.note(len(event))
            yield event

    template_class.generate = generate
    try:
        ask(app, job)
    finally:
        template_class.generate = original
    return [
        {
            "name": item["name"],
            "pulls": item["pulls"],
            "listed": item["listed"],
            **item["events"].report(),
            "constructs": constructs_of(item["environment"], item["name"]),
        }
        for item in found
    ]


def constructs_of(environment: Any, name: str | None) -> list[dict[str, Any]]:
    """What can hold rows back in a template and in those that it extends, includes or imports."""
    found: list[dict[str, Any]] = []
    todo, seen = [name], set()
    from jinja2 import TemplateError, meta  # noqa: PLC0415  - there: a template was made by it

    while todo:
        current = todo.pop()
        if current is None or current in seen or environment.loader is None:
            continue
        seen.add(current)
        with contextlib.suppress(
            TemplateError
        ):  # one that is named and not there: the app did without it too
            tree = environment.parse(environment.loader.get_source(environment, current)[0])
            found += [{"template": current, **item} for item in _constructs(tree)]
            todo += meta.find_referenced_templates(tree)
    return found


def _constructs(tree: Any) -> Iterator[dict[str, Any]]:
    from jinja2 import nodes  # noqa: PLC0415  - as above

    for kind, words in (
        (nodes.FilterBlock, "{%% filter %s %%}"),
        (nodes.AssignBlock, "{%% set %s %%} ... {%% endset %%}"),
        (nodes.CallBlock, "{%% call %s %%}"),
        (nodes.Macro, "{%% macro %s %%}"),
    ):
        for node in tree.find_all(kind):
            if node.find(nodes.For) is not None:
                yield {"line": node.lineno, "what": words % _name_of(node), "kind": "collects"}
    for node in tree.find_all(nodes.Getattr):
        if isinstance(node.node, nodes.Name) and node.node.name == "loop" and node.attr in _GREEDY_LOOP:
            yield {"line": node.lineno, "what": f"loop.{node.attr}", "kind": "reads all"}
    for node in tree.find_all(nodes.Filter):
        if node.name in _GREEDY_FILTERS:
            yield {"line": node.lineno, "what": f"|{node.name}", "kind": "reads all"}


def _name_of(node: Any) -> str:
    for part in ("name", "target", "filter", "call"):
        value = getattr(node, part, None)
        if isinstance(value, str):
            return value
        if value is not None:
            return str(getattr(value, "name", "") or getattr(getattr(value, "node", None), "name", ""))
    return ""
