"""Which constructs of a Jinja template can hold its rows back, read from its syntax."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Told = tuple[str, str] | None

#: Filters that need all items before they can say the first.
_GREEDY_FILTERS = frozenset(
    (
        *("list", "sort", "length", "count", "join", "groupby", "reverse", "slice"),
        *("sum", "min", "max", "last", "random", "dictsort", "tojson"),
    )
)
#: What a loop can only tell when it has seen all of its items.
_GREEDY_LOOP = frozenset(("length", "revindex", "revindex0"))
#: Makes one text of all rows; needs all of them before it says the first.
_COLLECTS, _READS_ALL = "collects", "reads all"


def constructs_of(environment: Any, name: str | None) -> list[dict[str, Any]]:
    """Those of a template and of all that it extends, includes or imports."""
    from jinja2 import TemplateError, meta  # noqa: PLC0415  - there: a template was made by it

    trees: dict[str, Any] = {}
    todo = [name]
    while todo:
        current = todo.pop()
        if current is None or current in trees or environment.loader is None:
            continue
        with contextlib.suppress(TemplateError):  # one that is named and not there: the app did without it
            trees[current] = environment.parse(environment.loader.get_source(environment, current)[0])
            todo += meta.find_referenced_templates(trees[current])
    called = {name for tree in trees.values() for name in _called_outside_of_loops(tree)}
    return [
        {"template": template, **found}
        for template, tree in trees.items()
        for found in _constructs(tree, called)
    ]


def _called_outside_of_loops(tree: Any) -> Iterator[str]:
    """The names of what is called where no loop is around: a macro that a row calls holds that row only."""
    todo = [tree]
    while todo:
        node = todo.pop()
        if _kind(node) == "Call":
            yield str(getattr(node.node, "name", None) or getattr(node.node, "attr", ""))
        if _kind(node) not in {"For", "Macro"}:
            todo += node.iter_child_nodes()


def _constructs(tree: Any, called: set[str]) -> Iterator[dict[str, Any]]:
    todo = [tree]
    while todo:
        node = todo.pop()
        told = _TELLS[_kind(node)](node, called) if _kind(node) in _TELLS else None
        if told is not None:
            yield {"line": node.lineno, "what": told[0], "kind": told[1]}
        # what stands within a row's own text holds that row only
        todo += _of_loop(node) if _kind(node) == "For" else node.iter_child_nodes()


def _of_loop(loop: Any) -> list[Any]:
    """What a loop goes over, and what its body says of the loop."""
    from jinja2 import nodes  # noqa: PLC0415  - as above

    return [loop.iter, *(node for node in loop.find_all(nodes.Getattr) if _is_of_loop(node))]


def _is_of_loop(node: Any) -> bool:
    return getattr(node.node, "name", "") == "loop" and node.attr in _GREEDY_LOOP


def _kind(node: Any) -> str:
    return type(node).__name__


def _has_loop(node: Any) -> bool:
    from jinja2 import nodes  # noqa: PLC0415  - as above

    return node.find(nodes.For) is not None


def _name(node: Any) -> str:
    return str(getattr(node, "name", ""))


def _filter_block(node: Any, _: set[str]) -> Told:
    return (f"{{% filter {_name(node.filter)} %}}", _COLLECTS) if _has_loop(node) else None


def _set_block(node: Any, _: set[str]) -> Told:
    return (f"{{% set {_name(node.target)} %}} ... {{% endset %}}", _COLLECTS) if _has_loop(node) else None


def _call_block(node: Any, _: set[str]) -> Told:
    return (f"{{% call {_name(node.call.node)}() %}}", _COLLECTS) if _has_loop(node) else None


def _macro(node: Any, called: set[str]) -> Told:
    return (f"{{% macro {node.name} %}}", _COLLECTS) if _has_loop(node) and node.name in called else None


def _for(node: Any, _: set[str]) -> Told:
    return ("{% for ... recursive %}", _COLLECTS) if node.recursive else None


def _call(node: Any, _: set[str]) -> Told:
    return ("{{ super() }}", _COLLECTS) if _name(node.node) == "super" else None


def _attribute(node: Any, _: set[str]) -> Told:
    return (f"loop.{node.attr}", _READS_ALL) if _is_of_loop(node) else None


def _filter(node: Any, _: set[str]) -> Told:
    return (f"|{node.name}", _READS_ALL) if node.name in _GREEDY_FILTERS else None


_TELLS: dict[str, Callable[[Any, set[str]], Told]] = {
    "FilterBlock": _filter_block,
    "AssignBlock": _set_block,
    "CallBlock": _call_block,
    "Macro": _macro,
    "For": _for,
    "Call": _call,
    "Getattr": _attribute,
    "Filter": _filter,
}
