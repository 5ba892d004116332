"""``streamgauge list``: suites, servers and stored runs."""

from __future__ import annotations

from importlib import metadata

import click

from harness.cli.places import results_folder, stored_runs
from harness.suite_file import built_in_suites, load_suite
from results.errors import StoreError
from results.store import Store
from targets.servers import KINDS


@click.command("list")
def command() -> None:
    """List the built-in suites with their targets, the servers (installed or not), and the stored runs."""
    click.echo("Suites:")
    for name in built_in_suites():
        suite = load_suite(name)
        targets = ", ".join(dict.fromkeys(target.name for target in suite.target))
        click.echo(f"  {name:10} {suite.blocks} blocks of {targets}")
    click.echo("\nServers:")
    for kind, server in KINDS.items():
        try:
            state = metadata.version(server.DISTRIBUTION)
        except metadata.PackageNotFoundError:
            state = f"not installed; install it with: pip install {server.DISTRIBUTION}"
        click.echo(f"  {kind:10} {state}")
    click.echo(f"\nRuns in {results_folder()}:")
    for path in stored_runs():
        try:
            with Store.open_unchecked(path) as store:
                run = store.read()
        except StoreError as error:
            click.echo(f"  {path.name}: {error}")
            continue
        done = f"{len(run.trials)} of {len(run.header.slots)} trials"
        click.echo(f"  {path.stem:32} {run.header.created_utc}  {done}")
    if not stored_runs():
        click.echo("  none yet; measure one with: streamgauge run")
