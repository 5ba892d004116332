"""Words of the command line and answers to questions, checked as the suite's own keys are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import click
from pydantic import TypeAdapter, ValidationError

from harness.servers.words import kind_and_options
from harness.suites.outline import ServerChoice, toml_value
from harness.suites.target import Target
from harness.suites.values import (
    AxisValue,
    HeaderName,
    HeaderValue,
    PathTemplate,
    VariableName,
    VariableValue,
    placeholders,
    read_duration,
)
from results.case import SETTINGS
from results.errors import UsageError
from targets.servers import KINDS, OptionError

Value = TypeVar("Value")
_MOST_USERS = 1000
#: Names that are no axis.
_TAKEN = frozenset({"target", *Target.model_fields, *SETTINGS})


class Counts(click.ParamType[Sequence[int]]):
    """Whole numbers with commas between them."""

    name = "N,N,..."

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Sequence[int]:
        """The numbers in their order, each once."""
        parts = [part.strip() for part in str(value).split(",")]
        if not all(part.isdecimal() and 1 <= int(part) <= _MOST_USERS for part in parts):
            self.fail(f"{value!r} is not a list of numbers from 1 to {_MOST_USERS}, like 1,8,32", param, ctx)
        return sorted({int(part) for part in parts})


class Duration(click.ParamType[float]):
    """A time as suites write it, in seconds."""

    name = "TIME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds; tells what is wrong otherwise."""
        try:
            seconds = read_duration(str(value))
        except ValueError as error:
            self.fail(f"{value!r} is {error}", param, ctx)
        if seconds <= 0:
            self.fail(f"{value!r} is no time to measure in", param, ctx)
        return seconds


class Checked(click.ParamType[Value], Generic[Value]):
    """A text that a suite may have for a key: the annotated type of that key decides."""

    def __init__(self, name: str, kind: Any) -> None:
        self.name = name
        self._adapter: TypeAdapter[Value] = TypeAdapter(kind)

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Value:
        """The value of the key; tells what is wrong otherwise."""
        try:
            checked = self._adapter.validate_python(value)
            toml_value(checked)
        except ValidationError as error:
            told = "; ".join(str(item["msg"]).removeprefix("Value error, ") for item in error.errors())
            self.fail(f"{value!r} is {told}" if told.startswith("not ") else f"{value!r}: {told}", param, ctx)
        except UsageError as error:
            self.fail(str(error), param, ctx)
        return checked


class StreamPath(Checked[str]):
    """The path of a stream, whose axes have names that are free."""

    def __init__(self) -> None:
        super().__init__("PATH", PathTemplate)

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The path; tells what is wrong otherwise."""
        path = super().convert(value, param, ctx)
        taken = [name for name in placeholders(path) if name in _TAKEN]
        if taken:
            self.fail(
                f"{path!r} names {{{taken[0]}}}, a key of its own in a suite; give the axis another name",
                param,
                ctx,
            )
        return path


class Pair(click.ParamType[tuple[str, str]]):
    """A name and a value with something between them."""

    def __init__(self, name: str, between: str, key: Any, value: Any) -> None:
        self.name = name
        self._between = between
        self._key: Checked[str] = Checked("name", key)
        self._value: Checked[str] = Checked("value", value)

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Both."""
        if isinstance(value, tuple):
            return value
        name, between, text = str(value).partition(self._between)
        if not between:
            self.fail(f"{value!r} has no {self._between!r}; write it like {self.name}", param, ctx)
        return (
            self._key.convert(name.strip(), param, ctx),
            self._value.convert(text.strip(), param, ctx),
        )


HEADER = Pair("NAME:VALUE", ":", HeaderName, HeaderValue)
VARIABLE = Pair("NAME=VALUE", "=", VariableName, VariableValue)


class AxisValues(click.ParamType[tuple[str | int, ...]]):
    """Values with commas between them; whole numbers are numbers."""

    name = "VALUES"

    def __init__(self) -> None:
        self._value: Checked[str | int] = Checked("value", AxisValue)

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str | int, ...]:
        """The values, in their order."""
        if isinstance(value, tuple):
            return value
        texts = [text.strip() for text in str(value).split(",")]
        if "" in texts:
            self.fail(f"{value!r} has a value of nothing between its commas; leave that out", param, ctx)
        if len(set(texts)) < len(texts):
            self.fail(f"{value!r} has the same value twice", param, ctx)
        return tuple(
            int(text)
            if re.fullmatch(r"0|-?[1-9][0-9]{0,17}", text)
            else self._value.convert(text, param, ctx)
            for text in texts
        )


class Axis(click.ParamType[tuple[str, tuple[str | int, ...]]]):
    """An axis of the matrix: its name and its values."""

    name = "NAME=VALUE,VALUE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, tuple[str | int, ...]]:
        """The name and the values."""
        if isinstance(value, tuple):
            return value
        name, between, values = str(value).partition("=")
        name = name.strip()
        if not between or not re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII):
            self.fail(f"{value!r} is not an axis; write one like rows=20,100,500", param, ctx)
        if name in _TAKEN:
            self.fail(f"{name!r} is a key of its own in a suite; give the axis another name", param, ctx)
        return name, AxisValues().convert(values, param, ctx)


class Server(click.ParamType[ServerChoice]):
    """A kind of server with its options, as `harness.servers.words` reads them."""

    name = "KIND[/CLASS][/OPTION=VALUE]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> ServerChoice:
        """The choice; what the kind does not know is told."""
        if isinstance(value, ServerChoice):
            return value
        try:
            kind, options = kind_and_options(str(value))
            if kind not in KINDS:
                self.fail(f"{kind!r} is not a known kind; known are {', '.join(KINDS)}", param, ctx)
            if kind == "gunicorn":
                options = {"worker_class": "sync", **options}
            KINDS[kind].read_options(options)
        except (OptionError, UsageError) as error:
            self.fail(str(error), param, ctx)
        return ServerChoice(kind, options)
