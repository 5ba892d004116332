"""The matrix: every case that a suite describes, and how each is asked."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.suites.endpoint import Endpoint
from harness.suites.lines import Line
from harness.suites.suite import Scenario, Suite
from harness.suites.target import Target
from harness.suites.values import byte_rate, placeholders, plain
from results.case import Case, Value, value_text
from results.errors import UsageError
from scenarios.specification import Arrivals, Download, HangUp, Load, Others, SlowReader
from targets import proxies
from targets.middleware import BUILT_IN, NONE, encoding_of
from targets.servers import KINDS

#: What else than the path decides how a target's case is asked and judged.
_ASKED_BY = (
    "app",
    "command",
    "url",
    "pid",
    "directory",
    "python",
    "prepare",
    "ready",
    "method",
    "headers",
    "body",
    "environment",
    "timeout",
    "status",
    "row_marker",
    "check",
)


@dataclass(frozen=True, slots=True)
class PlannedCase:
    """A case with all that is needed to measure it.

    ``server_kind`` is one of `targets.servers.KINDS`, or ``command`` or ``url``, which the target names;
    ``proxy_kind`` one of `targets.proxies.KINDS`, or ``none``.
    ``middleware`` is one of `targets.middleware.BUILT_IN`, a ``module:callable`` of the app's, or ``none``.
    ``joined``: what the app streams is collected before it is sent. ``variables`` and ``python_path`` are
    added to the server's environment. ``others`` is what others ask beside its load. ``checkout`` is the
    worktree that the case of an ab is served from (for our own targets, the folder of streamgauge in it),
    null in a run. ``endpoint`` is where a ``url`` leads, once `harness.servers.remote` has judged it.
    ``line`` is what lies between load and server, null where the suite asks for none: then it is the
    loopback interface.
    """

    case: Case
    target: Target
    path: str
    server_kind: str
    server_options: Mapping[str, Any]
    load: Load
    keep_alive: bool
    others: Others | None = None
    proxy_kind: str = proxies.NONE
    proxy_options: Mapping[str, Any] = field(default_factory=dict)
    middleware: str = NONE
    joined: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    python_path: tuple[Path, ...] = ()
    checkout: Path | None = None
    endpoint: Endpoint | None = None
    line: Line | None = None

    @property
    def is_proxied(self) -> bool:
        """Whether a proxy of ours stands in front of the server."""
        return self.proxy_kind != proxies.NONE

    @property
    def encoding(self) -> str | None:
        """The Content-Encoding that is asked for, and that the response must have; None: any or none."""
        if encoding := encoding_of(self.middleware):
            return encoding
        proxy = proxies.KINDS.get(self.proxy_kind)
        return None if proxy is None else proxy.encoding(proxy.read_options(self.proxy_options))


def cases_of(suite: Suite, only: str | None = None) -> list[PlannedCase]:
    """All cases of the suite's matrix, baselines first in each group, each case once.

    With ``only``, the cases whose identity holds every word of it, and the baselines of these.
    Raises UsageError when two tables describe the same case in different ways, or ``only`` names none.
    """
    cases: dict[str, PlannedCase] = {}
    for planned in _all(suite):
        known = cases.setdefault(planned.case.identity, planned)
        _check_same(known, planned)
    if only is None:
        return list(cases.values())
    chosen = {identity: planned for identity, planned in cases.items() if matches(planned.case, only)}
    if not chosen:
        names = "\n".join(f"  {identity}" for identity in cases)
        raise UsageError(f"--only {only!r} names no case of the suite {suite.name}; it has\n{names}")
    needed = {planned.case.baseline for planned in chosen.values()}
    return [planned for identity, planned in cases.items() if identity in needed or identity in chosen]


def _check_same(known: PlannedCase, planned: PlannedCase) -> None:
    """Two targets that share a case, as a baseline is shared, must ask for it in the same way."""
    ways = [("path", known.path, planned.path)]
    ways += [(key, getattr(known.target, key), getattr(planned.target, key)) for key in _ASKED_BY]
    for key, one, other in ways:
        if one != other:
            raise UsageError(
                f"two targets describe the same case ({planned.case.identity}) with a different {key}: "
                f"{one} and {other}; make them the same, or give one target another name, form or axis"
            )
    for what in ("load", "others"):
        one, other = getattr(known, what), getattr(planned, what)
        if one != other:
            raise UsageError(
                f"two scenarios describe the same case ({planned.case.identity}) with a different {what}: "
                f"{one} and {other}; make them the same, or leave one out"
            )


def proxies_of(cases: Iterable[PlannedCase]) -> list[str]:
    """The kinds of proxy that these cases need, each once."""
    return list(dict.fromkeys(item.proxy_kind for item in cases if item.proxy_kind != proxies.NONE))


def lines_of(cases: Iterable[PlannedCase]) -> list[Line]:
    """The lines that these cases are asked over, each once; none over loopback."""
    return list(dict.fromkeys(item.line for item in cases if item.line is not None))


def packages_of(cases: Iterable[PlannedCase]) -> list[str]:
    """The packages of the middleware that these cases have, each once."""
    used = (BUILT_IN[item.middleware] for item in cases if item.middleware in BUILT_IN)
    return list(dict.fromkeys(name for middleware in used for name in middleware.packages))


def matches(case: Case, pattern: str) -> bool:
    """Whether each word of the pattern is a value of the case, or ``key=value`` of it."""
    words = pattern.split()
    values = {value_text(value) for value in case.parameters.values()}
    pairs = {f"{key}={value_text(value)}" for key, value in case.parameters.items()}
    known = values | pairs | set(case.identity.split())
    return bool(words) and all(word in known for word in words)


def may_be_gated(case: Case, pattern: str) -> bool:
    """Whether a gate's pattern names this case; a baseline only where it says ``form=whole``."""
    whole = not {"whole", "form=whole"}.isdisjoint(pattern.split())
    return not case.expect_failure and matches(case, pattern) and (whole or not case.is_baseline)


def case_of_gate(cases: list[PlannedCase], pattern: str) -> PlannedCase:
    """The one case that a gate's pattern names; a baseline only where it says ``form=whole``.

    Raises UsageError when it names none or several: a gate on nothing would always pass.
    """
    timed = [planned for planned in cases if not planned.case.expect_failure]
    found = [planned for planned in timed if may_be_gated(planned.case, pattern)]
    if len(found) == 1:
        return found[0]
    names = "\n".join(f"  {planned.case.identity}" for planned in (found or timed))
    count = "several cases" if found else "no case"
    raise UsageError(f"the gate's case {pattern!r} names {count}; it must name exactly one of\n{names}")


def _all(suite: Suite) -> Iterator[PlannedCase]:
    for target, scenario in itertools.product(suite.target, suite.scenario):
        layers = itertools.product(_servers(suite, target), target.middleware, _proxies(suite), _lines(suite))
        for served, middleware, proxy, line in layers:
            for load in scenario.loads():
                for others in scenario.besides():
                    yield from _forms(target, served, middleware, proxy, line, scenario, load, others)


@dataclass(frozen=True, slots=True)
class _Served:
    """On what a target runs: a kind of server with options, or what the target itself names.

    Or what stands in front of it: a kind of proxy, or none.
    """

    kind: str
    options: Mapping[str, Any]
    parameters: Mapping[str, Value]


def _servers(suite: Suite, target: Target) -> list[_Served]:
    if target.app is None:
        return [_Served("command" if target.command else "url", {}, {})]
    return [
        _Served(server.kind, options, KINDS[server.kind].in_force(KINDS[server.kind].read_options(options)))
        for server in suite.server
        for options in server.combinations()
    ]


def _proxies(suite: Suite) -> list[_Served]:
    found = [
        _Served(table.kind, options, {"proxy": table.kind, **_proxy_parameters(table.kind, options)})
        for table in suite.proxy
        for options in table.combinations()
    ]
    return found or [_Served(proxies.NONE, {}, {})]


def _proxy_parameters(kind: str, options: Mapping[str, Any]) -> dict[str, Value]:
    """The options in force, under names that no option of a server has."""
    if kind == proxies.NONE:
        return {}
    proxy = proxies.KINDS[kind]
    return {f"proxy_{name}": value for name, value in proxy.in_force(proxy.read_options(options)).items()}


def _lines(suite: Suite) -> list[Line | None]:
    return list(dict.fromkeys(line for table in suite.network for line in table.lines())) or [None]


def _line_parameters(line: Line | None) -> dict[str, Value]:
    """None where a suite asks for no line: its cases are asked over loopback, as ever."""
    if line is None:
        return {}
    return {"line_rate": line.rate, **({"line_delay": line.delay} if line.delay else {})}


def _forms(
    target: Target,
    served: _Served,
    middleware: str,
    proxy: _Served,
    line: Line | None,
    scenario: Scenario,
    load: Load,
    others: Others | None,
) -> Iterator[PlannedCase]:
    shared: dict[str, Value] = {
        "target": target.name,
        "server": served.kind,
        **served.parameters,
        **({} if target.middleware == [NONE] else {"middleware": middleware}),
        **proxy.parameters,
        **_line_parameters(line),
        "scenario": scenario.kind,
        **_of_load(load),
        **({} if others is None else {"others": others.rate, "patience_s": plain(others.patience_s)}),
        "keep_alive": scenario.keep_alive,
    }

    def planned(case: Case, path: str) -> PlannedCase:
        return PlannedCase(
            case,
            target,
            path,
            served.kind,
            served.options,
            load,
            scenario.keep_alive,
            others,
            proxy.kind,
            proxy.options,
            middleware,
            line=line,
        )

    for values in itertools.product(*target.axes.values()):
        axes = dict(zip(target.axes, values, strict=True))
        baseline = None
        if target.baseline is not None:
            named = {key: axes[key] for key in placeholders(target.baseline)}
            whole = Case({**shared, "form": "whole", **named}, baseline=None)
            baseline = whole.identity
            if target.joined:
                # the values that the response does not depend on are the first ones of their axes
                path = target.stream.format_map({key: found[0] for key, found in target.axes.items()} | named)
                yield replace(planned(whole, path), joined=True)
            else:
                yield planned(whole, target.baseline.format_map(named))
        stream = Case(
            {**shared, "form": target.form, **axes}, baseline, expect_failure=target.expect == "failure"
        )
        yield planned(stream, target.stream.format_map(axes))


def _of_load(load: Load) -> dict[str, Value]:
    """The parameters that tell a load from others of its kind."""
    match load:
        case Download():
            return {"users": load.users}
        case HangUp():
            return {"users": load.users, "after": load.after}
        case Arrivals():
            return {"rate": load.rate, "spacing": load.spacing}
        case SlowReader():
            return {"users": load.users, "rate": byte_rate(load.bytes_per_second)}
