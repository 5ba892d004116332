"""``streamgauge export``: what a stored run found, for other programs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from analysis.ab import FORMATS as AB_FORMATS
from analysis.ab.findings import AbFindings, find_ab
from analysis.exports import FOLDERS, FORMATS
from analysis.findings import find
from harness.cli.files import write_files
from harness.cli.places import find_run
from harness.suites.gates import stored_gates
from results.errors import UsageError
from results.store import Store


@click.command("export")
@click.argument("run", default="latest")
@click.option("--format", "name", type=click.Choice([*FORMATS, *FOLDERS]), required=True, help="The form.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Write this file (github-benchmark: into this folder) and not standard output.",
)
def command(run: str, name: str, output: Path | None) -> None:
    """Write what RUN found, for other programs; what gates say does not change the exit code.

    RUN is a path, a name from `streamgauge list`, or "latest".
    """
    path = find_run(run)
    with Store.open(path) as store:
        stored = store.read()
    gates, not_judged = stored_gates(stored.header, path)
    if stored.header.sides:
        _write_ab(find_ab(stored, not_judged), name, output)
        return
    folder = output if name in FOLDERS else None
    if name in FOLDERS and folder is None:
        raise UsageError(f"{name} is several files; name their folder with --output FOLDER")
    findings = find(stored, gates, not_judged)
    if folder is not None:
        _write({folder / file: text for file, text in FOLDERS[name](findings).items()})
    elif output is not None:
        _write({output: FORMATS[name](findings)})
    else:
        # as bytes: the line ends are the format's
        sys.stdout.buffer.write(FORMATS[name](findings).encode())


def _write_ab(findings: AbFindings, name: str, output: Path | None) -> None:
    if name not in AB_FORMATS:
        raise UsageError(
            f"{name} is for the figures of one app, and this is an ab, which compares two; it can be had as "
            f"{', '.join(AB_FORMATS)}"
        )
    text = AB_FORMATS[name](findings)
    if output is not None:
        _write({output: text})
    else:
        sys.stdout.buffer.write(text.encode())


def _write(texts: Mapping[Path, str]) -> None:
    write_files(texts)
    for path in texts:
        click.echo(f"Written to {path}", err=True)
