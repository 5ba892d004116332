"""An app that a function makes: verified, collected, traced and behind a middleware, on every server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.conduct import verify
from harness.programs.cores import Cores
from harness.servers.serving import ServerFailed
from harness.suites.file import parse_suite
from harness.suites.matrix import cases_of
from harness.trials.tracing import CaseTracer
from harness.trials.workshop import Workshop, workshop
from targets.servers import KINDS
from tests.harness.examples import Untold

APP = """
from pathlib import Path
from flask import Flask

app = "no app: whoever asks for it has not called what makes one"

def create_app(config=None):
    with Path("made").open("a") as made:
        made.write("x")
    made = Flask(__name__)

    @made.get("/")
    def ready():
        return "ok"

    @made.get("/rows")
    def rows():
        return (b"a,b\\n" * 100 for _ in range(5)), {"Content-Type": "text/csv"}

    return made
"""
SUITE = """
name = "factory"
blocks = 1

[[target]]
name = "rows"
app = "shop:create_app()"
directory = "."
baseline = "join"
stream = "/rows"
middleware = ["none", "join"]

[[server]]
kind = "{kind}"

[[scenario]]
kind = "download"
"""


@pytest.fixture(scope="module")
def shop() -> Iterator[Workshop]:
    with workshop(Cores()) as made:
        yield made


@pytest.mark.parametrize("kind", KINDS)
def test_what_makes_an_app_is_called_once_a_process(shop: Workshop, tmp_path: Path, kind: str) -> None:
    (tmp_path / "shop.py").write_text(APP)
    suite = parse_suite(SUITE.format(kind=kind), "", tmp_path)
    cases = {case.case.identity: case for case in cases_of(suite)}
    found = verify(cases, shop, Untold())
    assert {item.body_bytes for item in found.values()} == {2_000}
    assert [item.framing for item in found.values()].count("length") == 3
    # bare, collected, and both with the middleware
    assert (tmp_path / "made").read_text() == "x" * 4
    tracer = CaseTracer(shop)
    for identity, planned in cases.items():
        trace = tracer(planned, found[identity])
        assert (trace.reason, trace.figures["yields"]) == (None, 1 if planned.case.is_baseline else 5)


@pytest.mark.parametrize("kind", ["gunicorn", "waitress"])
def test_one_that_is_named_without_parentheses_is_told(shop: Workshop, tmp_path: Path, kind: str) -> None:
    (tmp_path / "shop.py").write_text(APP)
    suite = parse_suite(SUITE.replace("create_app()", "create_app").format(kind=kind), "", tmp_path)
    cases = {case.case.identity: case for case in cases_of(suite)}
    with pytest.raises(
        ServerFailed, match=r'named with its parentheses: app = "shop:create_app\(\)"'
    ) as told:
        verify(cases, shop, Untold())
    assert told.value.keys == ("app",)
