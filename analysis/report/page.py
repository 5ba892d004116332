"""A report as one self-contained HTML file: no network, no external file, a policy that forbids both.

Source of the policy's words: Content Security Policy Level 3 (W3C).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from analysis.exports.printable import printable
from analysis.others_table import NOTE
from analysis.plots.colours import classes, variables
from analysis.plots.picture import Picture
from analysis.report.content import Report, gate_words
from analysis.report.definitions import definitions, limits
from analysis.report.words import Link, Name
from analysis.verdicts.gate import interval_name

_FOLDER = files("analysis.report") / "templates"
#: A suite's text is shown whole, but for lines that nobody could read.
_LONGEST_LINE = 2000


def html(report: Report) -> str:
    """The page."""
    return rendered(
        "report.html",
        {
            "report": report,
            "findings": report.findings,
            "header": report.findings.header,
            "gate_words": gate_words,
            "interval": interval_name(report.findings.header.terms),
            "definitions": definitions(),
            "limits": limits((report.findings.header, report.findings.load)),
            "others_note": NOTE,
            "suite": "\n".join(
                printable(line, _LONGEST_LINE) for line in report.findings.header.suite_toml.splitlines()
            ),
            "kinds": list(dict.fromkeys(row.kind for row in report.rows)),
            "figures": list(dict.fromkeys(row.figure for row in report.rows)),
        },
    )


def rendered(template: str, values: Mapping[str, Any]) -> str:
    """A page of this template, with its style and script inline and allowed by their hashes."""
    style = variables() + classes() + (_FOLDER / "page.css").read_text("utf-8")
    script = (_FOLDER / "page.js").read_text("utf-8")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    # Our own files and Matplotlib's drawing go in as they are; all else is escaped.
    return (
        _environment()
        .get_template(template)
        .render(
            values,
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            policy=policy,
        )
    )


def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("analysis.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["shown"] = printable
    made.filters["moment"] = _moment
    made.filters["drawing"] = _drawing
    made.tests["link"] = lambda part: isinstance(part, Link)
    made.tests["name"] = lambda part: isinstance(part, Name)
    made.tests["picture"] = lambda part: isinstance(part, Picture)
    return made


def _moment(utc: str) -> str:
    """A stored time to the minute; whatever else stands there as it is."""
    try:
        return f"{datetime.fromisoformat(utc).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError):
        return printable(utc)


def _drawing(picture: Picture) -> Markup:
    return Markup(picture.svg)  # noqa: S704


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
