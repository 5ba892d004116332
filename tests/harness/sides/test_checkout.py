"""Our own targets of another revision are served from its checkout, and by no other way of importing them."""

from __future__ import annotations

import sys
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from harness.environment import ROOT
from harness.programs.processes import Processes
from harness.servers.serving import serving
from harness.sides.sides import cases_on
from harness.suites.file import load_suite
from harness.suites.matrix import cases_of
from results.sides import Side, SideRecord

OTHER = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"other"]
"""


@pytest.mark.parametrize("preload", [False, True])
def test_targets_come_from_the_checkout(tmp_path: Path, *, preload: bool) -> None:
    checkout, folder = tmp_path / "base", tmp_path / "private"
    (checkout / "targets").mkdir(parents=True)
    folder.mkdir()
    (checkout / "targets" / "__init__.py").touch()
    (checkout / "targets" / "csv_app.py").write_text(OTHER)
    first = cases_of(load_suite("quick"))[0]
    item = SideRecord(Side.BASE, "x", "0" * 40, str(ROOT))
    (planned,) = cases_on({"it": first}, item, checkout).values()
    planned = replace(planned, server_options={**planned.server_options, "preload": preload})

    def served(with_checkout: Path | None) -> bytes:
        with (
            Processes() as processes,
            serving(
                replace(planned, checkout=with_checkout),
                processes=processes,
                folder=folder,
                cores=None,
                python=sys.executable,
            ) as server,
            urllib.request.urlopen(f"http://127.0.0.1:{server.port}/csv?total=1") as response,
        ):
            body: bytes = response.read()
        return body

    assert planned.checkout == checkout
    assert served(planned.checkout) == b"other"
    assert served(None) != b"other"
