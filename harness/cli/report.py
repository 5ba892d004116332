"""``streamgauge report``: the report on a stored run, as a page or as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from analysis.ab import markdown as ab_markdown
from analysis.ab.findings import find_ab
from analysis.findings import find
from analysis.plots.picture import Absent, Picture
from harness.cli.files import write_files
from harness.cli.places import find_run
from harness.cli.typed import typed
from harness.suites.gates import stored_gates
from results.errors import UsageError
from results.store import Store

_SUFFIXES = {"html": ".html", "markdown": ".md"}


@click.command("report")
@click.argument("run", default="latest")
@click.option("--output", type=click.Path(path_type=Path), help="The file (default: beside the run).")
@click.option(
    "--format",
    "name",
    type=click.Choice(list(_SUFFIXES)),
    default="html",
    help="One self-contained page (default), or Markdown with its pictures in a folder beside it.",
)
def command(run: str, output: Path | None, name: str) -> None:
    """Write the report on RUN: the answer, what is doubtful, the evidence, every figure, how it was measured.

    RUN is a path, a name from `streamgauge list`, or "latest". What it says does not change the exit code.
    """
    path = find_run(run)
    with Store.open(path) as store:
        click.echo(f"Report in {write_report(store, output or path.with_suffix(_SUFFIXES[name]), name)}")


def write_report(store: Store, output: Path, name: str = "html") -> Path:
    """Write the report on this store's run; where it is. Raises UsageError where it cannot be."""
    # Matplotlib is slow to import, and no other verb needs it.
    from analysis.ab.page import ab_html  # noqa: PLC0415
    from analysis.ab.pictures import ab_pictures  # noqa: PLC0415
    from analysis.report import markdown, page  # noqa: PLC0415
    from analysis.report.content import report  # noqa: PLC0415

    stored = store.read()
    gates, not_judged = stored_gates(stored.header, store.path)
    folder = output.with_name(f"{output.stem}-pictures")
    if stored.header.sides:
        findings = find_ab(stored, not_judged)
        if name == "html":
            write_files({output: ab_html(findings, stored)})
            return output
        drawn: Sequence[Picture | Absent] = ab_pictures(findings, stored)
        text = ab_markdown.with_evidence(findings, list(markdown.evidence(drawn, folder.name)))
    else:
        made = report(store, stored, find(stored, gates, not_judged))
        if name == "html":
            write_files({output: page.html(made)})
            return output
        drawn = made.pictures
        text = markdown.markdown(made, folder.name)
    write_files({folder / file: svg for file, svg in markdown.picture_files(drawn).items()} | {output: text})
    return output


def report_beside(store: Store, console: Console) -> None:
    """The report beside the run; one that cannot be written changes nothing of what the run says."""
    try:
        path = write_report(store, store.path.with_suffix(".html"))
    except UsageError as error:
        click.echo(f"no report: {error} (`{typed('report', str(store.path))}`)", err=True)
    else:
        console.print(f"Report in {path}", markup=False, highlight=False, soft_wrap=True)
