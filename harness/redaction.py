"""Secrets are taken out of all that is stored or shown, however they are written there."""

from __future__ import annotations

import base64
import dataclasses
import html
import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, TypeVar, cast
from urllib.parse import quote, quote_plus

from harness.programs.processes import OwnedProcess
from harness.secrets_told import (
    QUERY_NAME,
    Literal,
    in_environment,
    in_literal,
    in_request,
    in_words,
    literals_of,
    named_by,
)
from harness.suites.suite import Suite
from harness.suites.target import Target
from results.errors import UsageError
from results.records import TrialRecord
from results.sides import Preparation
from results.trace import Trace

#: What is shorter is not looked for: it would be found by chance in every text.
LEAST_CHARACTERS = 6
#: Of Base64 that holds a secret somewhere in the middle so much has to be its own.
_LEAST_ENCODED = 8
#: A line of a secret of several lines is looked for by itself from this length on.
_LEAST_LINE = 16
#: What stands where a secret was that no variable held.
MARK = "[hidden]"
#: Wherever these stand, what they hold is hidden, however short it is.
_USERINFO = re.compile(r"(://[^/\s:@]*:)([^/\s@]+)(@)")
_QUERY = re.compile(rf"([?&](?:{QUERY_NAME})=)([^&#\s\"'<>{{}}$\[]+)", re.IGNORECASE)
#: More than a secret can be long: an end that is read begins so much earlier.
_MARGIN_BYTES = 1 << 14

Item = TypeVar("Item")


class Redaction:
    """Knows the secrets of some targets, or of a request, and of the environment; `text` takes them out."""

    def __init__(self, secrets: Iterable[tuple[str, str]]) -> None:
        """``secrets`` are pairs: a value, and what is to stand in its place."""
        found: dict[str, str] = {}
        for value, instead in secrets:
            for form in _forms(value.strip()):
                found.setdefault(form, instead)
        self._instead = found
        longest_first = sorted(found, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if found else None

    @classmethod
    def of_targets(cls, targets: Iterable[Target]) -> Redaction:
        """Of a suite's targets: the values of variables become their names again."""
        several = list(targets)
        literals = [literal for target in several for literal in literals_of(target)]
        return cls(
            [
                *((os.environ.get(name, ""), f"${{{name}}}") for name in named_by(several)),
                *((value, MARK) for literal in literals for value in in_literal(literal)),
                *((value, MARK) for target in several for value in in_words(target)),
                *_of_environment(),
            ]
        )

    @classmethod
    def of_request(cls, url: str, headers: Iterable[tuple[str, str]], body: str | None) -> Redaction:
        """Of one request."""
        return cls([*((value, MARK) for value in in_request(url, headers, body)), *_of_environment()])

    def text(self, text: str) -> str:
        """The text without them, as they are or in an encoding that is usual in logs, pages and URLs."""
        if self._pattern is not None:
            text = self._pattern.sub(lambda match: self._instead[match[0]], text)
        return _QUERY.sub(rf"\g<1>{MARK}", _USERINFO.sub(rf"\g<1>{MARK}\g<3>", text))

    def value(self, value: Item) -> Item:
        """The same in every text of a JSON value or a record."""
        cleaned: Any = value
        if isinstance(value, Enum):
            return value
        if isinstance(value, str):
            cleaned = self.text(value)
        elif isinstance(value, Mapping):
            cleaned = {self.value(key): self.value(item) for key, item in value.items()}
        elif isinstance(value, list | tuple):
            cleaned = type(value)(map(self.value, value))
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {item.name: self.value(getattr(value, item.name)) for item in dataclasses.fields(value)}
            cleaned = dataclasses.replace(value, **fields)
        return cast("Item", cleaned)

    def tail(self, process: OwnedProcess, limit_bytes: int) -> str:
        """The end of what a process wrote; what is cut in two by its begin is not shown either."""
        return self.text(process.output_tail(limit_bytes + _MARGIN_BYTES))[-limit_bytes:]

    def trial(self, trial: TrialRecord) -> TrialRecord:
        """A trial's record without them."""
        load = trial.load
        return dataclasses.replace(
            trial,
            reason=self.value(trial.reason),
            server_output=self.text(trial.server_output),
            load=load and dataclasses.replace(load, errors=self.value(load.errors)),
        )

    def trace(self, trace: Trace) -> Trace:
        """A traced trial's record without them."""
        return dataclasses.replace(trace, reason=self.value(trace.reason), note=self.value(trace.note))

    def preparation(self, preparation: Preparation) -> Preparation:
        """What prepared an app, without them."""
        return self.value(preparation)


@dataclasses.dataclass(frozen=True, slots=True)
class StoredSuite:
    """A suite's text as it may be stored, and what of it stood there as it was, each with its place."""

    text: str
    literals: Sequence[Literal]

    @property
    def lost(self) -> bool:
        """Whether something is hidden where no variable can bring it back: then nobody can resume it."""
        return has_lost(self.text)


def stored_suite(suite: Suite) -> StoredSuite:
    """The suite's text without its secrets; a header, variable or body that held one names a variable.

    Raises UsageError where a secret is written in a way that cannot be found.
    """
    literals = [literal for target in suite.target for literal in literals_of(target)]
    redaction = Redaction.of_targets(suite.target)
    text = suite.text
    for literal in literals:
        for written in _written(literal.text):
            text = text.replace(written, f'"${{{literal.variable}}}"')
    text = redaction.text(text)
    if _still_holds(text, suite, literals):
        places = ", ".join(literal.place for literal in literals) or "a path or a command"
        raise UsageError(
            f"the suite holds a secret ({places}) in a way that cannot be hidden in what is stored; write it "
            "on one line, or take it from the environment: ${NAME}"
        )
    return StoredSuite(text, literals)


def _still_holds(text: str, suite: Suite, literals: Sequence[Literal]) -> bool:
    """Whether a secret was written in a way in which it was not found: with escapes, or over lines."""
    parsed = _parsed(text)
    if not isinstance(parsed, Mapping):
        return True
    for table in parsed["target"]:
        own = {table.get("body"), *table.get("headers", {}).values(), *table.get("environment", {}).values()}
        if not own.isdisjoint({literal.text for literal in literals}):
            return True
    held = [literal.text for literal in literals]
    held += [value for target in suite.target for value in in_words(target)]
    long = [value for value in held if len(value) >= LEAST_CHARACTERS]
    return any(secret in found for found in _texts(parsed) for secret in long)


def has_lost(suite_toml: str) -> bool:
    """Whether a stored suite lacks a secret that no variable can bring back."""
    return any(MARK in found for found in _texts(_parsed(suite_toml)))


def _parsed(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except ValueError:
        return text  # then it all counts


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from (key, *_texts(item))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _written(text: str) -> list[str]:
    """How TOML may have this text on one line, or as the whole of several."""
    basic = json.dumps(text, ensure_ascii=False)
    return [f'"""{text}"""', f"'''{text}'''", basic, json.dumps(text), f'"{text}"', f"'{text}'"]


def _of_environment() -> list[tuple[str, str]]:
    return [(value, f"${{{name}}}") for name, values in in_environment().items() for value in values]


def _forms(value: str) -> Iterator[str]:
    """A secret as it is, and as logs, pages and URLs may have it; none of one that is too short."""
    if len(value) < LEAST_CHARACTERS:
        return
    percent = [quote(value, safe=""), quote(value), quote_plus(value)]
    lowered = [re.sub(r"%..", lambda match: match[0].lower(), form) for form in percent]
    yield from {
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        html.escape(value),
        *percent,
        *lowered,
        *_encoded(value.encode(errors="surrogateescape")),
        *(line.strip() for line in value.splitlines() if len(line.strip()) >= _LEAST_LINE),
    }


def _encoded(value: bytes) -> Iterator[str]:
    """Base64 (RFC 4648) of it alone, and of what is the same wherever it stands in something longer."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(value).decode()
        yield from (whole, whole.rstrip("="))
        for before in range(3):
            # 6 bits a character: those that share bits with what stands before or behind are left out
            first = -(-before * 8 // 6)
            last = (before + len(value)) * 8 // 6
            core = encode(bytes(before) + value).decode()[first:last]
            if len(core) >= _LEAST_ENCODED:
                yield core
