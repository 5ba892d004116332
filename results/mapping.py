"""How records become rows of the store, and rows records again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from results.calibration import read_calibration
from results.case import Case
from results.drops import insert_drops, read_drops
from results.faults import Fault
from results.floors import insert_floors, read_floors
from results.follow_ups import insert_follow_ups
from results.follow_ups import read_summaries as read_follow_ups
from results.metrics import FIGURES
from results.others import insert_others, read_summaries
from results.pss import insert_pss
from results.records import Slot, TrialRecord, Verification
from results.requests import insert_requests
from results.run import Run, RunHeader, TrialSummary
from results.sides import Side, insert_gates, insert_sides, read_gates, read_preparations, read_sides
from results.terms import FailOn, Stopping, Terms
from results.workers import insert_shares, read_shares, read_workers


def insert(connection: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    """One row, its values by column."""
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" for _ in row)
    connection.execute(
        f'INSERT INTO "{table}" ({names}) VALUES ({marks})',  # noqa: S608
        tuple(row.values()),
    )


def insert_header(connection: sqlite3.Connection, header: RunHeader) -> None:
    """All that is known of a run before its first trial."""
    insert(
        connection,
        "run",
        {
            "id": header.run_id,
            "created_utc": header.created_utc,
            "suite": header.suite,
            "suite_toml": header.suite_toml,
            "seed": header.seed,
            "blocks": header.blocks,
            "warmup_s": header.warmup_s,
            "window_s": header.window_s,
            "version": header.version,
            "command": json.dumps(list(header.command)),
            "stopping": header.terms.stopping,
            "budget_s": header.terms.budget_s,
            "fail_on": header.terms.fail_on,
        },
    )
    connection.executemany(
        "INSERT INTO environment VALUES (?, ?)",
        [(name, json.dumps(value)) for name, value in header.environment.items()],
    )
    connection.executemany(
        'INSERT INTO "case" VALUES (?, ?, ?, ?)',
        [
            (case.identity, json.dumps(dict(case.parameters)), case.baseline, case.expect_failure)
            for case in header.cases
        ],
    )
    insert_sides(connection, header.sides)
    insert_gates(connection, header.margin_gates)
    insert_slots(connection, header.slots)


def insert_slots(connection: sqlite3.Connection, slots: Sequence[Slot]) -> None:
    """A row for each place in the plan."""
    connection.executemany(
        "INSERT INTO slot VALUES (?, ?, ?, ?, ?, ?)",
        [(slot.position, slot.block, slot.case, slot.control, slot.side, slot.confirming) for slot in slots],
    )


def insert_trial(connection: sqlite3.Connection, trial: TrialRecord) -> None:
    """One trial with its figures, processes, samples and requests."""
    load, server = trial.load, trial.server
    row: dict[str, Any] = {
        "position": trial.position,
        "started_utc": trial.started_utc,
        "started_ns": trial.started_ns,
        "finished_ns": trial.finished_ns,
        "reason": trial.reason,
        "fault": trial.fault,
        "server_output": trial.server_output,
    }
    if load is not None:
        row |= {
            "window_open_ns": load.window_open_ns,
            "window_close_ns": load.window_close_ns,
            "drained_ns": load.drained_ns,
            "client_cpu_ns": load.client_cpu_ns,
            "client_wall_ns": load.client_wall_ns,
            "clock_drift_ns": load.clock_drift_ns,
            "clock_span_ns": load.clock_span_ns,
            "client_scheduling": load.client_scheduling,
            "errors": json.dumps(dict(load.errors)),
        }
    if server is not None:
        row |= {
            "ran_as": server.ran_as,
            "server_cpu_ns": server.cpu_ns,
            "machine_steal": server.machine_steal,
            "machine_throttled_ns": server.machine_throttled_ns,
            "memory_method": server.memory_method,
            "pss_method": server.pss_method,
            "cpu_method": server.cpu_method,
        }
    insert(connection, "trial", row)
    for name, value in trial.figures.items():
        figure = FIGURES[name]
        connection.execute(
            "INSERT INTO figure VALUES (?, ?, ?, ?, ?)",
            (trial.position, name, figure.definition, figure.unit.value, value),
        )
    if server is not None:
        connection.executemany(
            "INSERT INTO process VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    trial.position,
                    process.pid,
                    process.role,
                    process.rss_at_reset_bytes,
                    process.hwm_bytes,
                    process.rss_at_end_bytes,
                    process.sampled_peak_bytes,
                    process.rss_settled_bytes,
                    process.pss_at_reset_bytes,
                    process.pss_at_end_bytes,
                )
                for process in server.processes
            ],
        )
        connection.executemany(
            "INSERT INTO memory_sample VALUES (?, ?, ?, ?)",
            [(trial.position, item.pid, item.at_ns, item.rss_bytes) for item in server.samples],
        )
        insert_pss(connection, trial.position, server.pss_samples)
    insert_floors(connection, trial.position, trial.floors)
    insert_drops(connection, trial.position, trial.line_drops)
    if load is not None:
        insert_shares(connection, trial.position, load.workers)
        insert_requests(connection, "request", trial.position, load.requests)
        if load.others is not None:
            insert_others(connection, trial.position, load.others)
        if load.follow_ups is not None:
            insert_follow_ups(connection, trial.position, load.follow_ups)


def read_run(connection: sqlite3.Connection) -> Run:
    """The run, but for raw requests and memory timelines."""
    row = connection.execute("SELECT * FROM run").fetchone()
    if row is None:
        raise sqlite3.DatabaseError("it holds no run")
    slots = [
        Slot(
            item["position"],
            item["block"],
            item["case"],
            bool(item["control"]),
            Side(item["side"]) if item["side"] is not None else None,
            bool(item["confirming"]),
        )
        for item in connection.execute("SELECT * FROM slot ORDER BY position")
    ]
    cases = [
        Case(json.loads(item["parameters"]), item["baseline"], bool(item["expect_failure"]))
        for item in connection.execute('SELECT * FROM "case" ORDER BY rowid')
    ]
    environment = {
        item["name"]: json.loads(item["value"]) for item in connection.execute("SELECT * FROM environment")
    }
    header = RunHeader(
        run_id=row["id"],
        created_utc=row["created_utc"],
        suite=row["suite"],
        suite_toml=row["suite_toml"],
        seed=row["seed"],
        blocks=row["blocks"],
        warmup_s=row["warmup_s"],
        window_s=row["window_s"],
        version=row["version"],
        command=json.loads(row["command"]),
        cases=cases,
        slots=slots,
        environment=environment,
        terms=Terms(Stopping(row["stopping"]), row["budget_s"], FailOn(row["fail_on"])),
        sides=read_sides(connection),
        margin_gates=read_gates(connection, cases),
    )
    return Run(
        header,
        row["finished_utc"],
        _read_verifications(connection, "side IS NOT 'base'"),
        _read_trials(connection, slots),
        calibration=read_calibration(connection),
        base_verifications=_read_verifications(connection, "side = 'base'"),
        preparations=read_preparations(connection),
        workers=read_workers(connection),
    )


def _read_verifications(connection: sqlite3.Connection, of: str) -> dict[str, Verification]:
    return {
        item["case"]: Verification(**{name: item[name] for name in Verification.__slots__})
        for item in connection.execute(f"SELECT * FROM verification WHERE {of}")  # noqa: S608
    }


def _read_trials(connection: sqlite3.Connection, slots: list[Slot]) -> list[TrialSummary]:
    by_position = {slot.position: slot for slot in slots}
    figures: dict[int, dict[str, float | None]] = {}
    for item in connection.execute("SELECT position, name, value FROM figure"):
        figures.setdefault(item["position"], {})[item["name"]] = item["value"]
    outcomes: dict[int, dict[str, int]] = {}
    for item in connection.execute(
        "SELECT position, outcome, count(*) AS n FROM request GROUP BY position, outcome"
    ):
        outcomes.setdefault(item["position"], {})[item["outcome"]] = item["n"]
    floors, follow_ups = read_floors(connection), read_follow_ups(connection)
    drops = read_drops(connection)
    others, shares = read_summaries(connection), read_shares(connection)
    return [
        TrialSummary(
            slot=by_position[item["position"]],
            reason=item["reason"],
            started_ns=item["started_ns"],
            finished_ns=item["finished_ns"],
            window_open_ns=item["window_open_ns"],
            window_close_ns=item["window_close_ns"],
            ran_as=item["ran_as"],
            figures=figures.get(item["position"], {}),
            outcomes=outcomes.get(item["position"], {}),
            errors=json.loads(item["errors"] or "{}"),
            fault=None if item["fault"] is None else Fault(item["fault"]),
            floors=floors.get(item["position"], ()),
            follow_ups=follow_ups.get(item["position"]),
            others=others.get(item["position"]),
            workers=shares.get(item["position"], ()),
            line_drops=drops.get(item["position"]),
        )
        for item in connection.execute("SELECT * FROM trial ORDER BY position")
    ]
