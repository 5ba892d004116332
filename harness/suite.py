"""Suite files: TOML in, a checked `Suite` out, or one message with every mistake and its place."""

from __future__ import annotations

import itertools
import re
import string
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from analysis.gate import Limit, parse_limit
from results.errors import UsageError
from results.metrics import FIGURES
from targets.servers import KINDS

AxisValue = str | int

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}


def _duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    if match := _DURATION.fullmatch(value.strip()):
        return float(match[1]) * _SECONDS[match[2]]
    raise ValueError('not a duration; write one like "0.5s", "200ms" or "2m"')


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


Duration = Annotated[float, BeforeValidator(_duration), Field(ge=0, le=3600, allow_inf_nan=False)]
Path_ = Annotated[str, Field(pattern=r"^/[!-~]*$")]
Name = Annotated[str, Field(pattern=r"^[\w.-]{1,60}$")]
Users = Annotated[int, Field(ge=1, le=10_000, strict=True)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Target(_Table):
    """One app with a whole form and a streamed one; ``axes`` are the keys that their paths name."""

    name: Name
    app: Annotated[str, Field(pattern=r"^[\w.]+:[\w.]+$")]
    directory: Path | None = None
    baseline: Path_ | None = None
    stream: Path_
    form: Name = "stream"
    ready: Path_ = "/"
    expect: Literal["success", "failure"] = "success"
    headers: dict[str, str] = {}
    timeout: Annotated[Duration, Field(gt=0)] = 30.0
    status: Annotated[int, Field(ge=200, le=599, strict=True)] = 200
    row_marker: Annotated[str, Field(min_length=1)] | None = None
    check: Literal["bytes", "length"] = "bytes"
    axes: dict[str, list[AxisValue]] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _collect_axes(cls, table: object) -> object:
        """Keys that a path names are axes; any other unknown key stays, and is refused."""
        if not isinstance(table, dict) or "axes" in table:
            return table
        named = {name for key in ("stream", "baseline") for name in _placeholders(table.get(key))}
        axes = {key: _as_list(table[key]) for key in table if key in named - set(cls.model_fields)}
        return {key: value for key, value in table.items() if key not in axes} | {"axes": axes}

    @model_validator(mode="after")
    def _check_paths(self) -> Target:
        streamed = _placeholders(self.stream)
        missing = sorted(({*streamed, *_placeholders(self.baseline)}) - set(self.axes))
        if missing:
            raise ValueError(
                f"the path names {{{missing[0]}}}, and the target has no such key; "
                f"add one, like {missing[0]} = [1, 2]"
            )
        surplus = sorted(set(_placeholders(self.baseline)) - set(streamed))
        if surplus:
            raise ValueError(
                f"baseline names {{{surplus[0]}}} and stream does not; "
                "a stream could not be matched with its baseline"
            )
        for axis, values in self.axes.items():
            if not values:
                raise ValueError(f"{axis} is an empty list; give it at least one value")
            if len(set(values)) < len(values):
                raise ValueError(f"{axis} has the same value twice")
        if self.expect == "success" and self.baseline is None:
            raise ValueError("baseline is missing: the path of the same response built whole")
        if self.expect == "failure" and self.baseline is not None:
            raise ValueError('expect = "failure" is never timed and has no baseline; leave baseline out')
        return self


class ServerTable(BaseModel):
    """One kind of server; every other key is an option of that kind, and a list is an axis."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str

    @model_validator(mode="after")
    def _check_kind(self) -> ServerTable:
        if self.kind not in KINDS:
            raise ValueError(f"kind {self.kind!r} is not known; known kinds are {', '.join(sorted(KINDS))}")
        for option, values in self.axes.items():
            if not values:
                raise ValueError(f"{option} is an empty list; give it at least one value")
        for options in self.combinations():
            KINDS[self.kind].read_options(options)
        return self

    def combinations(self) -> Iterator[dict[str, Any]]:
        """Every combination of the options' values."""
        axes = self.axes
        for values in itertools.product(*axes.values()):
            yield dict(zip(axes, values, strict=True))

    @property
    def axes(self) -> Mapping[str, list[Any]]:
        """The options' values by name; a single value is a list of one."""
        extra = self.model_extra or {}
        return {option: value if isinstance(value, list) else [value] for option, value in extra.items()}


class Scenario(_Table):
    """How the target is asked: each of ``users`` asks again as soon as its response is through."""

    kind: Literal["download"]
    users: Annotated[list[Users], BeforeValidator(_as_list), Field(min_length=1)] = [1]
    keep_alive: bool = True


class Gate(_Table):
    """A limit that the run is held to; ``case`` names exactly one case by some of its values."""

    case: Annotated[str, Field(min_length=1)]
    metric: str
    at_most: str | float | None = None
    at_least: str | float | None = None

    @model_validator(mode="after")
    def _check_limit(self) -> Gate:
        if self.metric not in FIGURES:
            raise ValueError(f"metric {self.metric!r} is not known; known are {', '.join(FIGURES)}")
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("give either at_most or at_least")
        _ = self.limit
        return self

    @property
    def limit(self) -> Limit:
        """The limit in the figure's own unit."""
        upper = self.at_most is not None
        return parse_limit(self.at_most if upper else self.at_least, FIGURES[self.metric], upper=upper)


class Suite(_Table):
    """A checked suite file."""

    name: Name
    blocks: Annotated[int, Field(ge=1, le=1000, strict=True)] = 10
    warmup: Duration = 0.5
    window: Annotated[Duration, Field(gt=0)] = 3.0
    target: Annotated[list[Target], Field(min_length=1)]
    server: Annotated[list[ServerTable], Field(min_length=1)]
    scenario: Annotated[list[Scenario], Field(min_length=1)]
    gate: list[Gate] = []
    text: Annotated[str, Field(exclude=True)] = ""
    folder: Annotated[Path | None, Field(exclude=True)] = None


def built_in_suites() -> list[str]:
    """The names of the suites that come with the project."""
    return sorted(
        item.name.removesuffix(".toml")
        for item in (files("scenarios") / "suites").iterdir()
        if item.name.endswith(".toml")
    )


def load_suite(name: str) -> Suite:
    """The suite of this built-in name, or of the TOML file at this path.

    Raises UsageError with every mistake in the file, each with its place.
    """
    if name in built_in_suites():
        return parse_suite((files("scenarios") / "suites" / f"{name}.toml").read_text("utf-8"), name, None)
    path = Path(name)
    if not path.is_file():
        raise UsageError(
            f"there is no suite {name!r}: neither a built-in one ({', '.join(built_in_suites())}) nor a file"
        )
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the suite file {path} cannot be read: {error}") from error
    return parse_suite(text, str(path), path.resolve().parent)


def parse_suite(text: str, place: str, folder: Path | None) -> Suite:
    """A suite from its text; ``place`` names it in messages, relative folders start at ``folder``."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{place} is not valid TOML: {error}") from error
    for own in ("text", "folder"):
        if own in table:
            raise UsageError(f"{place}: {own}: unknown key")
    try:
        suite = Suite.model_validate({**table, "text": text, "folder": folder})
    except ValidationError as error:
        mistakes = "\n".join(f"  {line}" for line in _mistakes(error, text, place))
        count = error.error_count()
        raise UsageError(
            f"{place} has {count} mistake{'s' if count > 1 else ''}; nothing was measured:\n{mistakes}"
        ) from error
    targets = [_in_folder(target, folder or Path.cwd(), place) for target in suite.target]
    return suite.model_copy(update={"target": targets})


def _in_folder(target: Target, folder: Path, place: str) -> Target:
    """The target with its directory, which is relative to the suite file, made absolute."""
    if target.directory is None:
        return target
    directory = (folder / target.directory).resolve()
    if not directory.is_dir():
        raise UsageError(f"{place}: target {target.name}: directory {directory} is not a folder")
    return target.model_copy(update={"directory": directory})


def _placeholders(path: object) -> list[str]:
    if not isinstance(path, str):
        return []  # the field's own check says so
    try:
        return [name for _, name, _, _ in string.Formatter().parse(path) if name is not None]
    except ValueError as error:
        raise ValueError(f"the path {path!r} has an unpaired brace; write {{key}} for an axis") from error


def _mistakes(error: ValidationError, text: str, place: str) -> Iterator[str]:
    for item in error.errors():
        where = [part for part in item["loc"] if part != "axes"]
        line = _line_of(text, where)
        name = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in where)
        yield f"{place}:{line}: {name}: {_explanation(item, where)}"


def _explanation(item: Any, where: list[int | str]) -> str:
    if item["type"] == "extra_forbidden":
        tables: dict[str, type[_Table]] = {"target": Target, "scenario": Scenario, "gate": Gate}
        table = tables.get(str(where[0]), Suite)
        known = ", ".join(name for name in table.model_fields if name not in {"axes", "text", "folder"})
        axis = "; an axis must be named in the path, like {rows}" if table is Target else ""
        return f"unknown key; known are {known}{axis}"
    if item["type"] == "missing":
        return "missing"
    message = str(item["msg"]).removeprefix("Value error, ")
    given = item["input"]
    return message if isinstance(given, dict) else f"{message} (given: {given!r})"


def _line_of(text: str, where: list[int | str]) -> int:
    """The line of a key, or of its table where the key is not there; 1 for the file itself."""
    lines = text.splitlines()
    start = 0
    if len(where) > 1 and isinstance(where[1], int):
        heads = [i for i, line in enumerate(lines) if re.match(rf"\s*\[\[\s*{where[0]}\s*\]\]", line)]
        if where[1] < len(heads):
            start = heads[where[1]]
    key = next((part for part in reversed(where) if isinstance(part, str)), "")
    for number in range(start, len(lines)):
        if re.match(rf"\s*{re.escape(key)}\s*=", lines[number]):
            return number + 1
        if number > start and re.match(r"\s*\[", lines[number]):
            break
    return start + 1
