"""``streamgauge list``: suites, servers and stored runs."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from harness.cli.places import results_folder, stored_runs
from harness.cli.typed import typed
from harness.servers.installing import installing
from harness.servers.proxying import installed_version
from harness.suites.file import load_suite
from results.errors import StoreError
from results.store import Store
from scenarios.built_in import built_in_suites
from targets import proxies
from targets.servers import KINDS


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def command(as_json: bool) -> None:
    """List the built-in suites, the servers and proxies (installed or not), and the stored runs."""
    document = {
        "suites": [_suite(name) for name in built_in_suites()],
        "servers": [_server(kind) for kind in KINDS],
        "proxies": [_proxy(kind) for kind in proxies.KINDS],
        "folder": str(results_folder()),
        "runs": [_run(path) for path in stored_runs()],
    }
    if as_json:
        click.echo(json.dumps(document, indent=2))
    else:
        _print(document)


def _suite(name: str) -> dict[str, Any]:
    suite = load_suite(name)
    return {
        "name": name,
        "blocks": suite.blocks,
        "targets": list(dict.fromkeys(target.name for target in suite.target)),
    }


def _server(kind: str) -> dict[str, Any]:
    distribution = KINDS[kind].DISTRIBUTION
    try:
        installed = metadata.version(distribution)
    except metadata.PackageNotFoundError:
        installed = None
    return {"kind": kind, "distribution": distribution, "installed": installed}


def _proxy(kind: str) -> dict[str, Any]:
    return {"kind": kind, "install": proxies.KINDS[kind].INSTALL, "installed": installed_version(kind)}


def _run(path: Path) -> dict[str, Any]:
    """``error`` says why the store cannot be read, null when it can."""
    where = {"name": path.stem, "path": str(path)}
    try:
        with Store.open_unchecked(path) as store:
            run = store.read()
    except StoreError as error:
        return {**where, "error": str(error)}
    return {
        **where,
        "error": None,
        "suite": run.header.suite,
        "sides": [item.commit for item in run.header.sides],
        "created_utc": run.header.created_utc,
        "finished_utc": run.finished_utc,
        "trials": len(run.trials),
        "planned_trials": len(run.header.slots),
    }


def _print(document: dict[str, Any]) -> None:
    click.echo("Suites:")
    width = max(len(suite["name"]) for suite in document["suites"])
    for suite in document["suites"]:
        blocks = f"{suite['blocks']} block{'' if suite['blocks'] == 1 else 's'}"
        click.echo(f"  {suite['name']:{width}} {blocks} of {', '.join(suite['targets'])}")
    click.echo("\nServers:")
    for server in document["servers"]:
        missing = f"not installed; install it with: {installing(server['distribution'])}"
        click.echo(f"  {server['kind']:10} {server['installed'] or missing}")
    click.echo("\nProxies:")
    for proxy in document["proxies"]:
        click.echo(f"  {proxy['kind']:10} {proxy['installed'] or 'not installed; ' + proxy['install']}")
    click.echo(f"\nRuns in {document['folder']}:")
    for run in document["runs"]:
        if run["error"] is not None:
            click.echo(f"  {Path(run['path']).name}: {run['error']}")
            continue
        done = f"{run['trials']} of {run['planned_trials']} trials"
        sides = " against ".join(commit[:12] for commit in reversed(run["sides"]))
        click.echo(f"  {run['name']:32} {run['created_utc']}  {done}{sides and f'  ab: {sides}'}")
    if not document["runs"]:
        click.echo(f"  none yet; measure one with: {typed('run')}")
