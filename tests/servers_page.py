"""Writes the tables of docs/servers.md from the kept `conform`.

``python -m tests.servers_page`` rewrites them; a test compares. The kept one is made anew by `KEPT_COMMAND`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from analysis.conformance.markdown import broken, table
from analysis.conformance.sheets import conditions, flask_sheet, overview, sheet
from results.conformance.document import from_document
from results.conformance.findings import Conformance
from results.conformance.questions import Check
from tests.reference_tables import ROOT

PAGE = ROOT / "docs" / "servers.md"
KEPT = ROOT / "results" / "reference" / "conform.json"
SERVERS = ("gunicorn", "waitress", "waitress/send_bytes=18000", "werkzeug", "granian", "uwsgi", "cheroot")
KEPT_COMMAND = f"./run.sh conform {' '.join(SERVERS)} --json --output results/reference/conform.json"
_BLOCK = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def kept() -> Conformance:
    """What the page shows."""
    return from_document(json.loads(KEPT.read_text("utf-8")))


def rewritten(text: str, found: Conformance) -> str:
    """The text with every generated block made anew."""
    blocks = generated(found)
    return _BLOCK.sub(lambda match: f"{match[1]}{blocks[match[2]]}\n{match[3]}", text)


def generated(found: Conformance) -> Mapping[str, str]:
    """The content of each block by name."""
    asked = [check for check in Check if check is not Check.FLASK]
    glance = overview(found.servers, asked)
    return {
        "conditions": conditions(found),
        "command": f"```sh\n{KEPT_COMMAND}\n```",
        "glance": f"{glance.note}\n\n{table(glance)}",
        **{check.replace("-", "_"): table(sheet(found.servers, check)) for check in asked},
        "flask": table(flask_sheet(found.flask)),
        "broken": broken(found),
    }


def main() -> None:
    PAGE.write_text(rewritten(PAGE.read_text("utf-8"), kept()), "utf-8")


if __name__ == "__main__":
    main()
