"""What a suite file may say: one class for each of its tables. `harness.suite_file` reads it."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from analysis.verdicts.gate import Limit, parse_limit
from analysis.verdicts.margin_gate import parse_margin
from results.case import SETTINGS
from results.metrics import FIGURES, Margin
from scenarios.schedule import Spacing
from scenarios.specification import Arrivals, Download
from targets.servers import KINDS, OptionError

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}
#: An axis in a path. Format's own tricks ({rows:05d}, {rows.real}) are not for suites.
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}", re.ASCII)


def _duration(value: object) -> object:
    if isinstance(value, str):
        return read_duration(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    raise ValueError('not a duration; write one like "0.5s", "200ms" or "2m"')


def read_duration(text: str) -> float:
    """The seconds of a text like ``"0.5s"``. Raises ValueError that says what is allowed."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError('not a duration; write one like "0.5s", "200ms" or "2m"')
    return float(match[1]) * _SECONDS[match[2]]


def _axis_value(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"[!-z|~]*", value):
        return value
    raise ValueError("not a value for a path; write whole numbers, or text without spaces (%20) and braces")


def _limit_text(value: object) -> object:
    if isinstance(value, str):
        return value
    raise ValueError('not a limit; write one like "0.5 of baseline" or "20 ms", or a margin like "3%"')


def _command(value: object) -> object:
    if isinstance(value, list) and value and all(isinstance(word, str) and word for word in value):
        return tuple(value)
    raise ValueError('not a command; write a list of its words, like ["make", "environment"]')


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _values(values: list[Any]) -> list[Any]:
    if not values:
        raise ValueError("an empty list; give it at least one value")
    if len({str(value) for value in values}) < len(values):
        raise ValueError("the same value twice")
    return values


def _plain(number: float) -> float:
    """A whole number as one: 50.0 and 50 are the same rate, and the same case."""
    return int(number) if number == int(number) else number


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
Connections = Annotated[int, Field(ge=1, le=10_000, strict=True)]
Rate = Annotated[float, Field(gt=0, le=1_000_000, strict=True, allow_inf_nan=False), AfterValidator(_plain)]
LimitText = Annotated[str, BeforeValidator(_limit_text)]
Command = Annotated[tuple[str, ...], BeforeValidator(_command)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Target(_Table):
    """One app with a whole form and a streamed one; ``axes`` are the keys that their paths name."""

    name: Name
    app: App
    directory: Path | None = None
    python: Path | None = None
    prepare: Command | None = None
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

    @field_validator("python")
    @classmethod
    def _from_folder(cls, python: Path | None, info: ValidationInfo) -> Path | None:
        """The interpreter, made absolute. Not resolved: a link in an environment is what makes it one."""
        if python is None:
            return None
        folder = (info.context or {}).get("folder") or Path.cwd()
        return Path(os.path.abspath(folder / python))  # noqa: PTH100  - resolve() would follow the link

    @field_validator("python", "prepare")
    @classmethod
    def _check_own(cls, given: object, info: ValidationInfo) -> object:
        if given is not None and "directory" in info.data and info.data["directory"] is None:
            raise ValueError("it is for an app of your own; name its directory too")
        return given

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


class DownloadScenario(_Table):
    """A closed loop: each of ``users`` asks again as soon as its response is through."""

    kind: Literal["download"]
    users: Annotated[list[Connections], BeforeValidator(_as_list), AfterValidator(_values)] = [1]
    keep_alive: Annotated[bool, Field(strict=True)] = True

    def loads(self) -> Iterator[Download]:
        """One for each value of the axis."""
        for users in self.users:
            yield Download(users)


class ArrivalsScenario(_Table):
    """An open loop: ``rate`` requests a second on schedule, whatever became of earlier ones."""

    kind: Literal["arrivals"]
    rate: Annotated[list[Rate], BeforeValidator(_as_list), AfterValidator(_values)]
    spacing: Annotated[list[Spacing], BeforeValidator(_as_list), AfterValidator(_values)] = ["poisson"]
    most_in_flight: Connections = 1000
    keep_alive: Annotated[bool, Field(strict=True)] = True

    def loads(self) -> Iterator[Arrivals]:
        """One for each combination of the axes' values."""
        for rate, spacing in itertools.product(self.rate, self.spacing):
            yield Arrivals(rate, spacing, self.most_in_flight)


Scenario = Annotated[DownloadScenario | ArrivalsScenario, Field(discriminator="kind")]
#: The table of each kind of scenario.
SCENARIOS: Mapping[str, type[_Table]] = {"download": DownloadScenario, "arrivals": ArrivalsScenario}


class Gate(_Table):
    """A limit for a run, or a margin for an ab; ``case`` names exactly one case by some of its values."""

    case: Annotated[str, Field(min_length=1)]
    metric: str
    at_most: LimitText | None = None
    at_least: LimitText | None = None
    margin: LimitText | None = None

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

    @field_validator("margin")
    @classmethod
    def _check_margin(cls, given: str | None, info: ValidationInfo) -> str | None:
        if given is not None and "metric" in info.data:
            parse_margin(given, FIGURES[info.data["metric"]])
        return given

    @model_validator(mode="after")
    def _check_one(self) -> Gate:
        if sum(given is not None for given in (self.at_most, self.at_least, self.margin)) != 1:
            raise ValueError("give either at_most or at_least (for run), or margin (for ab)")
        return self

    @property
    def name(self) -> str:
        """How the gate is called in messages."""
        if self.margin is not None:
            return f"{self.case}: {self.metric} within {self.margin} of base"
        limit = f"at most {self.at_most}" if self.at_most is not None else f"at least {self.at_least}"
        return f"{self.case}: {self.metric} {limit}"

    @property
    def limit(self) -> Limit | None:
        """The limit in the figure's own unit; None for a gate with a margin."""
        given = self.at_most or self.at_least
        if given is None:
            return None
        return parse_limit(given, FIGURES[self.metric], upper=self.at_most is not None)

    @property
    def allowed(self) -> Margin | None:
        """The margin; None for a gate with a limit."""
        return None if self.margin is None else parse_margin(self.margin, FIGURES[self.metric])


class Suite(_Table):
    """A checked suite file."""

    name: Name
    blocks: Annotated[int, Field(ge=1, le=1000, strict=True)] = 10
    warmup: Duration = 0.5
    window: Annotated[Duration, Field(gt=0)] = 3.0
    trace: Annotated[bool, Field(strict=True)] = True
    target: Annotated[list[Target], Field(min_length=1)]
    server: Annotated[list[ServerTable], Field(min_length=1)]
    scenario: Annotated[list[Scenario], Field(min_length=1)]
    gate: list[Gate] = []
    _text: str = PrivateAttr(default="")
    _folder: Path | None = PrivateAttr(default=None)

    def with_source(self, text: str, folder: Path | None) -> Suite:
        """The same suite, which now knows the file that it was read from."""
        self._text, self._folder = text, folder
        return self

    @property
    def text(self) -> str:
        """The file, letter for letter."""
        return self._text

    @property
    def folder(self) -> Path | None:
        """Where relative directories start; None for a built-in suite."""
        return self._folder


def placeholders(path: object) -> list[str]:
    """The axes that a path names, in its order; none in what is no text."""
    return _PLACEHOLDER.findall(path) if isinstance(path, str) else []
