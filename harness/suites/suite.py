"""What a suite file may say: one class for each of its tables. `harness.suites.file` reads it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from analysis.verdicts.gate import Limit, parse_limit
from analysis.verdicts.margin_gate import parse_margin
from harness.suites.kinds import ProxyTable, ServerTable
from harness.suites.lines import NetworkTable
from harness.suites.target import Target
from harness.suites.values import (
    ByteRate,
    Connections,
    Duration,
    LimitText,
    Name,
    Rate,
    Share,
    Table,
    as_list,
    distinct,
    read_byte_rate,
)
from results.metrics import FIGURES, Margin
from scenarios.schedule import Spacing
from scenarios.specification import Arrivals, Download, HangUp, Others, SlowReader, Soak
from targets.middleware import encoding_of


class _ScenarioTable(Table):
    """What all scenarios can say."""

    def besides(self) -> Iterator[Others | None]:
        """What others ask beside the load; a scenario's own say."""
        yield None


class _OthersTable(_ScenarioTable):
    """One with small requests beside its streams: ``others`` a second.

    They are alone for ``alone`` before the first stream, and each is given up after ``patience``.
    """

    kind: str
    users: Annotated[list[Connections], BeforeValidator(as_list), AfterValidator(distinct)] = Field([1])
    others: Annotated[list[Rate], BeforeValidator(as_list), AfterValidator(distinct)] = Field([20])
    alone: Annotated[Duration, Field(gt=0)] = 1.0
    patience: Annotated[Duration, Field(gt=0)] = 1.0
    keep_alive: Annotated[bool, Field(strict=True)] = True

    def besides(self) -> Iterator[Others]:
        """One for each value of the axis."""
        for rate in self.others:
            yield Others(rate, self.alone, self.patience)


class DownloadScenario(_ScenarioTable):
    """A closed loop: each of ``users`` asks again as soon as its response is through."""

    kind: Literal["download"]
    users: Annotated[list[Connections], BeforeValidator(as_list), AfterValidator(distinct)] = Field([1])
    keep_alive: Annotated[bool, Field(strict=True)] = True

    def loads(self) -> Iterator[Download]:
        """One for each value of the axis."""
        for users in self.users:
            yield Download(users)


class ArrivalsScenario(_ScenarioTable):
    """An open loop: ``rate`` requests a second on schedule, whatever became of earlier ones."""

    kind: Literal["arrivals"]
    rate: Annotated[list[Rate], BeforeValidator(as_list), AfterValidator(distinct)]
    spacing: Annotated[list[Spacing], BeforeValidator(as_list), AfterValidator(distinct)] = Field(["poisson"])
    most_in_flight: Connections = 1000
    keep_alive: Annotated[bool, Field(strict=True)] = True

    def loads(self) -> Iterator[Arrivals]:
        """One for each combination of the axes' values."""
        for rate, spacing in itertools.product(self.rate, self.spacing):
            yield Arrivals(rate, spacing, self.most_in_flight)


class SoakScenario(_ScenarioTable):
    """The load of a download over a long window, in which the memory that is retained is looked at."""

    kind: Literal["soak"]
    users: Annotated[list[Connections], BeforeValidator(as_list), AfterValidator(distinct)] = Field([1])
    keep_alive: Annotated[bool, Field(strict=True)] = True

    def loads(self) -> Iterator[Soak]:
        """One for each value of the axis."""
        for users in self.users:
            yield Soak(users)


class HangUpScenario(_ScenarioTable):
    """Each of ``users`` leaves when the share ``after`` of the body has come, and asks a small request next.

    That is the target's readiness path, on a connection of its own; it has ``patience`` to be answered.
    """

    kind: Literal["hang-up"]
    users: Annotated[list[Connections], BeforeValidator(as_list), AfterValidator(distinct)] = Field([1])
    after: Annotated[list[Share], BeforeValidator(as_list), AfterValidator(distinct)] = Field([0.5])
    patience: Annotated[Duration, Field(gt=0)] = 5.0

    @property
    def keep_alive(self) -> bool:
        """Nobody asks for the connection's end: who hangs up does not say so beforehand."""
        return True

    def loads(self) -> Iterator[HangUp]:
        """One for each combination of the axes' values."""
        for users, after in itertools.product(self.users, self.after):
            yield HangUp(users, after, self.patience)


class MixedScenario(_OthersTable):
    """Small requests beside ``users`` who download streams."""

    kind: Literal["mixed"]

    def loads(self) -> Iterator[Download]:
        """One for each value of the axis."""
        for users in self.users:
            yield Download(users)


class SlowReaderScenario(_OthersTable):
    """Small requests beside ``users`` who each take no more than ``rate`` of their response."""

    kind: Literal["slow-reader"]
    rate: Annotated[list[ByteRate], BeforeValidator(as_list), AfterValidator(distinct)]

    def loads(self) -> Iterator[SlowReader]:
        """One for each combination of the axes' values."""
        for users, rate in itertools.product(self.users, self.rate):
            yield SlowReader(users, read_byte_rate(rate))


Scenario = Annotated[
    DownloadScenario | ArrivalsScenario | SoakScenario | HangUpScenario | MixedScenario | SlowReaderScenario,
    Field(discriminator="kind"),
]
#: The table of each kind of scenario.
SCENARIOS: Mapping[str, type[Table]] = {
    "download": DownloadScenario,
    "arrivals": ArrivalsScenario,
    "soak": SoakScenario,
    "hang-up": HangUpScenario,
    "mixed": MixedScenario,
    "slow-reader": SlowReaderScenario,
}


class Gate(Table):
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


class Suite(Table):
    """A checked suite file."""

    name: Name
    blocks: Annotated[int, Field(ge=1, le=1000, strict=True)] = 10
    warmup: Duration = 0.5
    window: Annotated[Duration, Field(gt=0)] = 3.0
    trace: Annotated[bool, Field(strict=True)] = True
    target: Annotated[list[Target], Field(min_length=1)]
    server: list[ServerTable] = Field([])
    proxy: list[ProxyTable] = Field([])
    network: list[NetworkTable] = Field([])
    scenario: Annotated[list[Scenario], Field(min_length=1)]
    gate: list[Gate] = Field([])
    _text: str = PrivateAttr(default="")
    _folder: Path | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _check_servers(self) -> Suite:
        apps = [target.name for target in self.target if target.app is not None]
        if apps and not self.server:
            raise ValueError(f"no [[server]]: the app of {apps[0]} is served by none")
        if self.server and not apps:
            raise ValueError("a [[server]] is for targets with an app, and there is none; leave it out")
        return self

    @model_validator(mode="after")
    def _check_network(self) -> Suite:
        elsewhere = [target.name for target in self.target if target.url is not None]
        if self.network and elsewhere:
            raise ValueError(
                f"[[network]] is a line to servers that streamgauge starts, and {elsewhere[0]} names a url; "
                "leave one of the two out"
            )
        return self

    @model_validator(mode="after")
    def _check_compression(self) -> Suite:
        compressing = [
            (target.name, name)
            for target in self.target
            for name in target.middleware
            if encoding_of(name) is not None
        ]
        if compressing and any(table.encodes for table in self.proxy):
            target, name = compressing[0]
            raise ValueError(
                f"the proxy's gzip would find nothing to do: the responses of {target} come to it compressed "
                f'(middleware = "{name}"); leave one of the two out, or measure them in two suites'
            )
        return self

    @model_validator(mode="after")
    def _check_patience_with_readers(self) -> Suite:
        """A slow reader may read all the time that a trial sends: that is no response that takes too long."""
        if not any(isinstance(scenario, SlowReaderScenario) for scenario in self.scenario):
            return self
        longest = self.warmup + self.window
        for target in self.target:
            if target.timeout <= longest:
                raise ValueError(
                    f"a slow reader may read for as long as warmup and window take ({longest:g} s), and "
                    f"{target.name} has a timeout of {target.timeout:g} s; make it longer, or the window "
                    "shorter"
                )
        return self

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
