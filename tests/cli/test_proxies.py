"""A suite with a proxy and middleware, from the command line."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from harness.cli.session import Asked, begun, draft
from harness.servers import proxying
from harness.servers.proxying import installed_version
from results.errors import ExitCode, UsageError
from results.store import Store
from tests.cli.conftest import Streamgauge
from tests.cli.spoilt import forget
from tests.harness.examples import ORDERS
from tests.programs import need

APP = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/csv")])
    if environ["PATH_INFO"] == "/whole":
        return [b"a,b,c\\n" * 4000]
    return (b"a,b,c\\n" * 100 for _ in range(40))
"""
SUITE = """
name = "layers"
blocks = 1
warmup = "0.1s"
window = "0.2s"

[[target]]
name = "rows"
app = "layered:app"
directory = "."
baseline = "/whole"
stream = "/rows"
middleware = ["none", "join"]

[[server]]
kind = "gunicorn"

[[proxy]]
kind = "none"

[[proxy]]
kind = "nginx"
gzip = true

[[scenario]]
kind = "download"
"""


def test_layers_are_measured_told_and_gone_on_with(streamgauge: Streamgauge, tmp_path: Path) -> None:
    need("nginx")
    (tmp_path / "layered.py").write_text(APP)
    (tmp_path / "layers.toml").write_text(SUITE)
    done = streamgauge("run", "layers.toml", "--output", "layers.sqlite")
    assert done.returncode == ExitCode.GOOD, done.stderr
    with Store.open(tmp_path / "layers.sqlite") as store:
        run, traces = store.read(), store.traces()
    layers = [
        (case.parameters["middleware"], case.parameters["proxy"], case.parameters["form"])
        for case in run.header.cases
    ]
    assert set(layers) == set(product(["none", "join"], ["none", "nginx"], ["whole", "stream"]))
    # the content is the same through every layer, whatever its bytes on the wire were
    assert {found.body_bytes for found in run.verifications.values()} == {24_000}
    assert len({found.digest for found in run.verifications.values()}) == 1
    assert all(trial.outcomes.keys() == {"verified"} for trial in run.trials)
    assert run.header.environment["packages"]["nginx"] == installed_version("nginx")
    yields = {trace.case: trace.figures["yields"] for trace in traces}
    assert [yields[case.identity] for case in run.header.cases] == [
        1 if case.is_baseline else 40 for case in run.header.cases
    ]
    shown = streamgauge("show", "layers.sqlite").stdout
    assert "rows middleware=join proxy=nginx" in shown

    forget(tmp_path / "layers.sqlite", [0])
    onward = streamgauge("run", "--resume", "layers.sqlite")
    assert onward.returncode == ExitCode.GOOD, onward.stderr


def test_a_proxy_that_is_not_installed_is_told_before_anything_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = tmp_path / "orders.toml"
    suite.write_text(ORDERS + '[[proxy]]\nkind = "nginx"\n')
    store = tmp_path / "run.sqlite"
    words = Asked(str(suite), None, None, None, None, None, store)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(proxying, "_SYSTEM_FOLDERS", ())
    with pytest.raises(UsageError, match=r"nginx is not installed.*apt-get install nginx"):
        begun(draft(words), words)
    assert not store.exists()
