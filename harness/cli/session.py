"""What ``run`` and ``ab`` share: words that both take, the begin of a run or its resumption, its course."""

from __future__ import annotations

import secrets
import sys
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from analysis.verdicts.gate import fewest_blocks
from harness.cli.checked import Duration
from harness.cli.crew import CrewWords, check_shared, crew_of, marked_crew, words_again
from harness.cli.hushed import hushed, stored_and_told
from harness.cli.interrupts import Interrupts
from harness.cli.live import new_watcher
from harness.cli.places import find_run, new_store_path
from harness.cli.remote import marked_remote, warn_of_load
from harness.cli.typed import typed
from harness.cli.web import announce, is_marked, marked
from harness.conduct import conduct
from harness.environment import differences, read_environment
from harness.loading.crew import Crew, asked_at
from harness.loading.line import check_line
from harness.onward import Onward
from harness.programs.cores import Cores, split_cores
from harness.redaction import Redaction, has_lost
from harness.rows import load_rows
from harness.servers.proxying import check_proxies
from harness.servers.remote import placed
from harness.sides.sides import without_own_interpreters
from harness.stopping import check_budget, duration, first_blocks
from harness.suites.file import load_suite, parse_suite
from harness.suites.matrix import PlannedCase, cases_of, lines_of, proxies_of
from harness.suites.plan import Plan, make_plan
from harness.suites.suite import Suite
from harness.suites.variables import check_variables
from results.errors import Interrupted, MeasurementError, UsageError
from results.run import RunHeader
from results.sides import MarginGate, SideRecord
from results.store import Store
from results.terms import FailOn, Stopping, Terms
from scenarios.workers.settings import TOKEN_VARIABLE

_SHARED = (
    click.option("--blocks", type=click.IntRange(1, 1000), help="Measure so many blocks."),
    click.option("--seed", type=click.IntRange(0), help="Repeat the order of a run with this seed."),
    click.option(
        "--only", metavar="PATTERN", help='Only the cases with these values, like "rows=500 gthread".'
    ),
    click.option("--until", type=click.Choice(["decided"]), help="Look after 7, 10, 15 and 20 blocks."),
    click.option("--budget", type=Duration(), help='Measure as many blocks as fit into a time, like "5m".'),
    click.option("--output", type=click.Path(path_type=Path), help="Folder or .sqlite file for the run."),
    click.option("--resume", metavar="RUN", help="Go on with a run that was interrupted."),
    click.option("--force", is_flag=True, help="Measure beside another streamgauge on this machine."),
    click.option(
        "--processes", type=click.IntRange(2, 64), help="Make the load by so many processes of this machine."
    ),
    click.option(
        "--listen", metavar="ADDRESS", help="Have workers on other machines make it; they join here."
    ),
    click.option("--expect-workers", type=click.IntRange(1, 1000), help="Wait for so many workers."),
    click.option(
        "--enough-workers", type=click.IntRange(1, 1000), help="Go on with so many, if others are lost."
    ),
    click.option(
        "--token-file",
        type=click.Path(path_type=Path),
        help=f"The token that lets workers join (default: {TOKEN_VARIABLE}, or a new one).",
    ),
    click.option("--quiet", is_flag=True, help="Say only what came of gates, and what is wrong."),
    click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON; progress to stderr."),
    click.option("--no-report", is_flag=True, help="Write no report beside the run."),
)
#: Words that say how a run is told, and nothing of what is measured.
_OF_MANNER = frozenset(
    {
        *("resume", "force", "quiet", "as_json", "no_report", "web", "web_port", "allow_remote"),
        # checked by themselves: the run must have as many as it began with
        *("processes", "listen", "expect_workers", "enough_workers", "token_file"),
    }
)


def shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of both verbs, in their order."""
    for option in reversed(_SHARED):
        command = option(command)
    return command


@dataclass(frozen=True, slots=True)
class Asked:
    """The words that say what is measured, and how much of it."""

    suite: str
    blocks: int | None
    seed: int | None
    only: str | None
    until: str | None
    budget: float | None
    output: Path | None


@dataclass(frozen=True, slots=True)
class Session:
    """A run that is about to be measured, or to go on."""

    store: Store
    suite: Suite
    plan: Plan
    terms: Terms
    crew: Crew | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A run before its store is made: what can still be refused."""

    suite: Suite
    cases: Sequence[PlannedCase]
    terms: Terms
    fixed_blocks: int

    @property
    def blocks(self) -> int:
        """How many blocks are planned at first."""
        return first_blocks(self.terms, self.fixed_blocks)

    def placed(self, crew: Crew | None, *, allow_remote: bool) -> Draft:
        """The same, knowing where what runs already is asked. Raises UsageError where it may not be."""
        return replace(self, cases=placed(self.cases, allow_remote=allow_remote, listen=asked_at(crew)))

    def plan(self, seed: int, sides: Sequence[SideRecord] = ()) -> Plan:
        """The plan of the first blocks."""
        return make_plan(
            self.cases,
            blocks=self.blocks,
            seed=seed,
            warmup_s=self.suite.warmup,
            window_s=self.suite.window,
            sides=[item.side for item in sides] or [None],
            traced=self.suite.trace,
        )


def refuse_words_beside_resume(ctx: click.Context) -> None:
    """Raises UsageError where a resumption was given words that would change the plan."""
    given = [
        str(parameter.name)
        for parameter in ctx.command.params
        if parameter.name not in _OF_MANNER
        and ctx.get_parameter_source(str(parameter.name)) is not click.core.ParameterSource.DEFAULT
    ]
    if given:
        raise UsageError(f"--resume goes on with the run as it was planned; leave out {', '.join(given)}")


def draft(asked: Asked, fail_on: FailOn = FailOn.GATES) -> Draft:
    """What the words ask for. Raises UsageError."""
    given = [
        name
        for name, value in (("--blocks", asked.blocks), ("--until", asked.until), ("--budget", asked.budget))
        if value is not None
    ]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} each say how much is measured; give one of them")
    suite = load_suite(asked.suite)
    stopping = Stopping.DECIDED if asked.until else Stopping.BUDGET if asked.budget else Stopping.BLOCKS
    return Draft(
        suite,
        cases_of(suite, asked.only),
        Terms(stopping, asked.budget, fail_on),
        asked.blocks or suite.blocks,
    )


def check_fits(asked: Draft, gates: int, sides: Sequence[SideRecord] = ()) -> None:
    """Raises UsageError when a budget has no room for a block, or for as many as so many gates need."""
    if asked.terms.budget_s is not None:
        check_budget(asked.terms.budget_s, asked.plan(0, sides), fewest_blocks(gates))


def begun(
    asked: Draft,
    words: Asked,
    sides: Sequence[SideRecord] = (),
    margin_gates: Sequence[MarginGate] = (),
    *,
    web: bool = False,
    crew: Crew | None = None,
) -> Session:
    """A store with the plan of the first blocks. ``web``: the load will be shown in a browser meanwhile.

    A ``crew`` shares the load.
    """
    check_variables(asked.cases)
    check_proxies(proxies_of(asked.cases))
    if crew is not None:
        check_shared(crew, asked.suite, asked.cases)
    _check_line(asked.cases, shown=web)
    redaction = Redaction.of_targets(asked.suite.target)
    seed = words.seed if words.seed is not None else secrets.randbelow(2**31)
    plan = asked.plan(seed, sides)
    header = RunHeader(
        run_id=uuid.uuid4().hex,
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        suite=asked.suite.name,
        suite_toml=stored_and_told(asked.suite).text,
        seed=seed,
        blocks=asked.blocks,
        warmup_s=plan.warmup_s,
        window_s=plan.window_s,
        version=metadata.version("streamgauge"),
        command=redaction.value(["streamgauge", *sys.argv[1:]]),
        cases=[planned.case for planned in plan.cases],
        slots=plan.slots,
        environment=redaction.value(_environment(asked.cases, asked.suite.folder, crew, sides, shown=web)),
        terms=asked.terms,
        sides=sides,
        margin_gates=margin_gates,
    )
    store = Store.create(new_store_path(asked.suite.name, words.output), header)
    return Session(store, asked.suite, plan, asked.terms, crew)


def _check_line(cases: Sequence[PlannedCase], *, shown: bool) -> None:
    """That the cases' lines can be had. Raises UsageError."""
    check_line(cases)
    if shown and lines_of(cases):
        raise UsageError(
            "Locust's web UI would be at the far end of the [[network]], where no browser is; leave --web "
            "and --web-port out"
        )


def _environment(
    cases: Sequence[PlannedCase],
    folder: Path | None,
    crew: Crew | None,
    sides: Sequence[SideRecord],
    *,
    shown: bool,
) -> dict[str, Any]:
    cores = cores_with(crew)
    cases = without_own_interpreters(cases, sides)
    record = marked_remote(marked(read_environment(cores, folder, cases), shown=shown), cases)
    return marked_crew(record, crew)


def resumed(
    name: str,
    verb: str,
    words: CrewWords,
    *,
    tells: bool,
    web: bool = False,
    allow_remote: bool = False,
) -> Session:
    """A stored run of this verb, as it was planned; ``tells`` is as in `crew_of`.

    Raises UsageError when it cannot go on here.
    """
    path = find_run(name)
    store = Store.open(path, writable=True)
    header = store.read().header
    made_by = "ab" if header.sides else "run"
    if made_by != verb:
        raise UsageError(f"{path} is of the verb {made_by}; go on with: {_go_on(made_by, path)}")
    shown = web or is_marked(header)
    if has_lost(header.suite_toml):
        raise UsageError(
            f"{path} cannot go on: a path or a command of its suite held a secret, which is not stored. "
            "Measure anew"
        )
    folder = header.environment.get("suite_folder")
    suite = parse_suite(header.suite_toml, str(path), Path(folder) if folder else None)
    crew = crew_of(words, header, tells=tells)
    cases = placed(cases_of(suite), allow_remote=allow_remote, listen=asked_at(crew))
    planned = {item.case.identity: item for item in cases}
    known = [planned[case.identity] for case in header.cases if case.identity in planned]
    now = Redaction.of_targets(suite.target).value(_environment(known, None, crew, header.sides, shown=shown))
    unlike = differences(header.environment, now)
    if unlike:
        raise UsageError(
            f"{path} cannot go on here, its trials would not be alike: {'; '.join(unlike)}. "
            "Go on where it began, or measure anew"
        )
    unknown = [case.identity for case in header.cases if case.identity not in planned]
    if unknown:
        raise UsageError(
            f"{path} was planned by another version of streamgauge, which knew the case {unknown[0]}; "
            "go on with that version, or measure anew"
        )
    plan = Plan(
        [planned[case.identity] for case in header.cases],
        header.slots,
        header.seed,
        header.warmup_s,
        header.window_s,
        [item.side for item in header.sides] or [None],
        suite.trace and not header.sides,
    )
    check_variables(plan.cases)
    _check_line(plan.cases, shown=shown)
    return Session(store, suite, plan, header.terms, crew)


def cores_with(crew: Crew | None) -> Cores:
    """How the cores are split where this crew makes the load."""
    return split_cores(1 if crew is None else crew.processes)


def measured(
    session: Session,
    onward: Onward,
    verb: str,
    console: Console,
    beside: str | None,
    web_port: int | None = None,
) -> None:
    """Measure what is to be measured, ``beside`` another streamgauge or alone.

    Raises Interrupted and MeasurementError with what is kept.
    """
    store, plan = session.store, session.plan
    try:
        if beside is not None and store.read().finished_utc is None:
            store.add_disturbance(beside)
        load_rows(plan.cases, console)
        warn_of_load(plan.cases, f"{len(plan.slots)} trials, about {duration(round(plan.expected_s))}")
        if web_port is not None:
            announce(web_port)
        redaction = Redaction.of_targets(session.suite.target)
        with (
            Interrupts() as interrupts,
            hushed(redaction),
            new_watcher(console, plan, store.read()) as watcher,
        ):
            conduct(
                plan,
                store,
                watcher,
                cores_with(session.crew),
                onward,
                interrupts.finished_first,
                web_port,
                crew=session.crew,
            )
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; {_what_is_kept(session, verb)}") from None
    except MeasurementError as error:
        raise MeasurementError(f"{error}\n{_what_is_kept(session, verb)}") from error


def _what_is_kept(session: Session, verb: str) -> str:
    """Where the finished trials are, and how to go on; a store without any is removed."""
    store = session.store
    done = len(store.done())
    if not done:
        store.path.unlink(missing_ok=True)
        return "no trial was finished, and nothing is kept"
    planned = len(store.read().header.slots)
    go_on = _go_on(verb, store.path, *words_again(session.crew))
    return f"{done} of {planned} trials are kept in {store.path}.\nGo on with: {go_on}"


def _go_on(verb: str, path: Path, *more: str) -> str:
    return typed(verb, "--resume", str(path), *more)
