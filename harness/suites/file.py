"""Suite files: read, checked, and every mistake told at once with its place."""

from __future__ import annotations

import itertools
import re
import reprlib
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.suites.lines import NetworkTable
from harness.suites.suite import SCENARIOS, Gate, Suite
from harness.suites.target import Target
from results.errors import UsageError
from scenarios.built_in import built_in_suites, built_in_text

#: Keys whose values may be secrets, and are not repeated in messages.
_SECRETIVE = frozenset({"headers", "environment", "body", "url"})


def load_suite(name: str) -> Suite:
    """The suite of this built-in name, or of the TOML file at this path.

    Raises UsageError with every mistake in the file, each with its place.
    """
    if name in built_in_suites():
        return parse_suite(built_in_text(name), name, None)
    path = Path(name)
    try:
        if not path.is_file():
            known = ", ".join(built_in_suites())
            raise UsageError(f"there is no suite {name!r}: neither a built-in one ({known}) nor a file")
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"the suite file {path} cannot be read: {error}; it must be a text in UTF-8 that you may read"
        ) from error
    return parse_suite(text, str(path), path.resolve().parent)


def parse_suite(text: str, place: str, folder: Path | None) -> Suite:
    """A suite from its text; ``place`` names it in messages, relative folders start at ``folder``."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # TOMLDecodeError is the usual one of ValueError's kind
        raise UsageError(f"{place} is not valid TOML: {error}") from error
    try:
        suite = Suite.model_validate(table, context={"folder": folder})
    except ValidationError as error:
        count = error.error_count()
        mistakes = "\n".join(_mistakes(error, text, place))
        raise UsageError(
            f"{place} has {count} mistake{'s' if count > 1 else ''}; nothing was measured:\n{mistakes}"
        ) from error
    return suite.with_source(text, folder)


def _mistakes(error: ValidationError, text: str, place: str) -> list[str]:
    """A line for each mistake, in the order of the file."""
    found: list[tuple[int, str]] = []
    for item in error.errors():
        where = _place(item)
        name = ".".join(str(part + 1) if isinstance(part, int) else _shown(part) for part in where)
        explanation = _explanation(item, where).replace("\n", "\n      ")
        found.append((_line_of(text, where), f"{name}: {explanation}"))
    return [f"  {place}:{line}: {mistake}" for line, mistake in sorted(found, key=lambda pair: pair[0])]


def _place(item: Any) -> list[int | str]:
    """Keys and indices from the file's top to the mistake, as the file has them."""
    where = [part for part in item["loc"] if part not in {"axes", "[key]"}]
    if where[:1] == ["scenario"] and len(where) > 2:
        del where[2]  # the kind, by which pydantic tells the tables apart
    return [*where, "kind"] if item["type"].startswith("union_tag") else where


def _shown(key: str) -> str:
    return key if key.isprintable() else repr(key)


def _explanation(item: Any, where: list[int | str]) -> str:
    if item["type"] == "extra_forbidden":
        return _unknown(item, where)
    if item["type"] in {"missing", "union_tag_not_found"}:
        return "missing"
    if item["type"] == "union_tag_invalid":
        known = ", ".join(SCENARIOS)
        return f"not a known kind; known kinds are {known} (given: {reprlib.repr(item['ctx']['tag'])})"
    if item["type"] == "list_type" and len(where) == 1:
        return f"there may be several; write [[{where[0]}]], with two brackets"
    message = str(item["msg"]).removeprefix("Value error, ")
    given = item["input"]
    if given is None or isinstance(given, dict) or not _SECRETIVE.isdisjoint(where):
        return message
    return f"{message} (given: {reprlib.repr(given)})"


def _unknown(item: Any, where: list[int | str]) -> str:
    tables: dict[str, type[BaseModel]] = {"target": Target, "gate": Gate, "network": NetworkTable}
    kind = item["loc"][2] if where[0] == "scenario" else None
    table = SCENARIOS[kind] if kind else tables.get(str(where[0]), Suite)
    known = ", ".join(name for name in table.model_fields if name != "axes")
    if kind and (other := [name for name in SCENARIOS if where[-1] in SCENARIOS[name].model_fields]):
        return f'kind = "{kind}" has no use for it, it is a key of kind = "{other[0]}"; known are {known}'
    axis = "; an axis must be named in the path, like {rows}" if table is Target else ""
    return f"unknown key; known are {known}{axis}"


def _line_of(text: str, where: list[int | str]) -> int:
    """The line of a key, or of the nearest thing around it that has one; 1 for the file itself."""
    lines = text.splitlines()
    first = around = 0
    keys = [re.escape(part) for part in where if isinstance(part, str)]
    if len(where) > 1 and isinstance(where[1], int):
        head = re.compile(rf"\s*\[\[\s*{keys[0]}\s*\]\]")
        heads = [number for number, line in enumerate(lines) if head.match(line)]
        if where[1] < len(heads):
            around = heads[where[1]]
            first = around + 1
            del keys[0]
    inside = list(itertools.takewhile(lambda line: not re.match(r"\s*\[", line), lines[first:]))
    for key in reversed(keys):
        for number, line in enumerate(inside, first):
            if re.match(rf"\s*[\"']?{key}[\"']?\s*=", line):
                return number + 1
        if f"[{key}]" in lines:
            return lines.index(f"[{key}]") + 1
    return around + 1
