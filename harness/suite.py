"""Suite files: TOML in, a checked `Suite` out, or one message with every mistake and its place."""

from __future__ import annotations

import itertools
import re
import reprlib
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from analysis.gate import Limit, parse_limit
from results.case import SETTINGS
from results.errors import UsageError
from results.metrics import FIGURES
from targets.servers import KINDS, OptionError

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}
#: An axis in a path. Format's own tricks ({rows:05d}, {rows.real}) are not for suites.
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}", re.ASCII)


def _duration(value: object) -> object:
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        return float(match[1]) * _SECONDS[match[2]]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    raise ValueError('not a duration; write one like "0.5s", "200ms" or "2m"')


def _axis_value(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"[!-z|~]*", value):
        return value
    raise ValueError("not a value for a path; write whole numbers, or text without spaces (%20) and braces")


def _limit_text(value: object) -> object:
    if isinstance(value, str):
        return value
    raise ValueError('not a limit; write one like "0.5 of baseline" or "20 ms"')


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _values(values: list[Any]) -> list[Any]:
    if not values:
        raise ValueError("an empty list; give it at least one value")
    if len({str(value) for value in values}) < len(values):
        raise ValueError("the same value twice")
    return values


def _path_template(path: str) -> str:
    if not {"{", "}"}.isdisjoint(_PLACEHOLDER.sub("", path)):
        raise ValueError("a brace that is not part of a {key}; write %7B and %7D for braces themselves")
    return path


def _written(pattern: str, otherwise: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(otherwise)
        return text

    return AfterValidator(check)


AxisValue = Annotated[str | int, BeforeValidator(_axis_value)]
Duration = Annotated[float, BeforeValidator(_duration), Field(ge=0, le=3600, allow_inf_nan=False)]
Path_ = Annotated[str, _written(r"/[!-~]*", 'not a path; it begins with "/" and has no spaces (write %20)')]
PathTemplate = Annotated[Path_, AfterValidator(_path_template)]
Name = Annotated[
    str, _written(r"[\w.-]{1,60}", 'not a name; write up to 60 letters, digits, ".", "_" and "-"')
]
App = Annotated[str, _written(r"[\w.]+:[\w.]+", 'not an app; write module:name, like "shop.wsgi:app"')]
HeaderName = Annotated[str, _written(r"[\w!#$%&'*+.^`|~-]+", "not a header's name (RFC 9110, 5.1)")]
HeaderValue = Annotated[
    str, _written(r"[\t\x20-\x7e\xa0-\xff]*", "not a header's value; write one line of Latin-1 text")
]
Users = Annotated[int, Field(ge=1, le=10_000, strict=True)]
LimitText = Annotated[str, BeforeValidator(_limit_text)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Target(_Table):
    """One app with a whole form and a streamed one; ``axes`` are the keys that their paths name."""

    name: Name
    app: App
    directory: Path | None = None
    expect: Literal["success", "failure"] = "success"
    baseline: PathTemplate | None = Field(default=None, validate_default=True)
    stream: PathTemplate
    form: Name = "stream"
    ready: Path_ = "/"
    headers: dict[HeaderName, HeaderValue] = {}
    timeout: Annotated[Duration, Field(gt=0)] = 30.0
    status: Annotated[int, Field(ge=200, le=599, strict=True)] = 200
    row_marker: Annotated[str, Field(min_length=1)] | None = None
    check: Literal["bytes", "length"] = "bytes"
    axes: dict[str, Annotated[list[AxisValue], AfterValidator(_values)]]

    @model_validator(mode="before")
    @classmethod
    def _collect_axes(cls, table: object) -> object:
        """Keys that a path names are axes; any other unknown key stays, and is refused."""
        if not isinstance(table, dict):
            return table
        if "axes" in table:
            raise ValueError("axes is not a key; each axis has its own, like rows = [1, 2]")
        named = {name for key in ("stream", "baseline") for name in placeholders(table.get(key))}
        axes = {key: _as_list(table[key]) for key in table if key in named - set(cls.model_fields)}
        return {key: value for key, value in table.items() if key not in axes} | {"axes": axes}

    @field_validator("directory")
    @classmethod
    def _in_folder(cls, directory: Path | None, info: ValidationInfo) -> Path | None:
        """The directory, which is relative to the suite file, made absolute."""
        if directory is None:
            return None
        folder = ((info.context or {}).get("folder") or Path.cwd()) / directory
        if not folder.is_dir():
            raise ValueError(f"{folder.resolve()} is not a folder")
        return folder.resolve()

    @field_validator("baseline")
    @classmethod
    def _check_baseline(cls, baseline: str | None, info: ValidationInfo) -> str | None:
        expect = info.data.get("expect")
        if expect == "success" and baseline is None:
            raise ValueError("missing: the path of the same response built whole")
        if expect == "failure" and baseline is not None:
            raise ValueError('expect = "failure" is never timed and has no baseline; leave baseline out')
        return baseline

    @field_validator("form")
    @classmethod
    def _check_form(cls, form: str) -> str:
        if form == "whole":
            raise ValueError("this is what a baseline's form is called; give the stream's another name")
        return form

    @field_validator("axes")
    @classmethod
    def _check_axes(
        cls, axes: dict[str, list[str | int]], info: ValidationInfo
    ) -> dict[str, list[str | int]]:
        streamed, whole = placeholders(info.data.get("stream")), placeholders(info.data.get("baseline"))
        problems = []
        for name in sorted({*streamed, *whole} - axes.keys()):
            if name in cls.model_fields:
                remedy = "that is a key of every target; give the axis another name"
            else:
                remedy = f"the target has no such key; add one, like {name} = [1, 2]"
            problems.append(f"the path names {{{name}}}, and {remedy}")
        if "stream" in info.data:
            problems += [
                f"baseline names {{{name}}} and stream does not: no stream could be matched with it"
                for name in sorted(set(whole) - set(streamed))
            ]
        problems += [
            f"the axis {name} has the name of a setting that every case has; give it another name"
            for name in sorted(axes.keys() & {"target", *SETTINGS})
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return axes


class ServerTable(BaseModel):
    """One kind of server; every other key is an option of that kind, and a list is an axis."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str

    @field_validator("kind")
    @classmethod
    def _check_kind(cls, kind: str) -> str:
        if kind not in KINDS:
            raise ValueError(f"not a known kind; known kinds are {', '.join(sorted(KINDS))}")
        return kind

    @model_validator(mode="after")
    def _check_options(self) -> ServerTable:
        problems: dict[str, None] = {}
        for option, values in self.axes.items():
            try:
                _values(values)
            except ValueError as error:
                problems[f"{option}: {error}"] = None
        for options in self.combinations():
            try:
                KINDS[self.kind].read_options(options)
            except OptionError as error:
                problems[str(error)] = None
        if problems:
            raise ValueError("\n".join(problems))
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
    users: Annotated[list[Users], BeforeValidator(_as_list), AfterValidator(_values)] = [1]
    keep_alive: Annotated[bool, Field(strict=True)] = True


class Gate(_Table):
    """A limit that the run is held to; ``case`` names exactly one case by some of its values."""

    case: Annotated[str, Field(min_length=1)]
    metric: str
    at_most: LimitText | None = None
    at_least: LimitText | None = None

    @field_validator("metric")
    @classmethod
    def _check_metric(cls, metric: str) -> str:
        if metric not in FIGURES:
            raise ValueError(f"not a known metric; known are {', '.join(FIGURES)}")
        return metric

    @field_validator("at_most", "at_least")
    @classmethod
    def _check_limit(cls, given: str | None, info: ValidationInfo) -> str | None:
        if given is not None and "metric" in info.data:
            parse_limit(given, FIGURES[info.data["metric"]], upper=info.field_name == "at_most")
        return given

    @model_validator(mode="after")
    def _check_one(self) -> Gate:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("give either at_most or at_least")
        return self

    @property
    def limit(self) -> Limit:
        """The limit in the figure's own unit."""
        upper = self.at_most is not None
        return parse_limit(self.at_most or self.at_least or "", FIGURES[self.metric], upper=upper)


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
    _text: str = PrivateAttr(default="")
    _folder: Path | None = PrivateAttr(default=None)

    @property
    def text(self) -> str:
        """The file, letter for letter."""
        return self._text

    @property
    def folder(self) -> Path | None:
        """Where relative directories start; None for a built-in suite."""
        return self._folder


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
    try:
        if not path.is_file():
            known = ", ".join(built_in_suites())
            raise UsageError(f"there is no suite {name!r}: neither a built-in one ({known}) nor a file")
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the suite file {path} cannot be read: {error}") from error
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
    suite._text, suite._folder = text, folder
    return suite


def placeholders(path: object) -> list[str]:
    """The axes that a path names, in its order; none in what is no text."""
    return _PLACEHOLDER.findall(path) if isinstance(path, str) else []


def _mistakes(error: ValidationError, text: str, place: str) -> list[str]:
    """A line for each mistake, in the order of the file."""
    found: list[tuple[int, str]] = []
    for item in error.errors():
        where = [part for part in item["loc"] if part not in {"axes", "[key]"}]
        name = ".".join(str(part + 1) if isinstance(part, int) else _shown(part) for part in where)
        explanation = _explanation(item, where).replace("\n", "\n      ")
        found.append((_line_of(text, where), f"{name}: {explanation}"))
    return [f"  {place}:{line}: {mistake}" for line, mistake in sorted(found, key=lambda pair: pair[0])]


def _shown(key: str) -> str:
    return key if key.isprintable() else repr(key)


def _explanation(item: Any, where: list[int | str]) -> str:
    tables: dict[str, type[_Table]] = {"target": Target, "scenario": Scenario, "gate": Gate}
    if item["type"] == "extra_forbidden":
        table = tables.get(str(where[0]), Suite)
        known = ", ".join(name for name in table.model_fields if name != "axes")
        axis = "; an axis must be named in the path, like {rows}" if table is Target else ""
        return f"unknown key; known are {known}{axis}"
    if item["type"] == "missing":
        return "missing"
    if item["type"] == "list_type" and len(where) == 1:
        return f"there may be several; write [[{where[0]}]], with two brackets"
    message = str(item["msg"]).removeprefix("Value error, ")
    given = item["input"]
    return (
        message if given is None or isinstance(given, dict) else f"{message} (given: {reprlib.repr(given)})"
    )


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
