"""An app of somebody's own, outside of the repository: asked with its method, body, headers and variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from results.errors import ExitCode
from results.store import Store
from tests.cli.conftest import Streamgauge

APP = """
import os

def app(environ, start_response):
    if environ["PATH_INFO"] == "/":
        start_response("200 OK", [])
        return [b"ready"]
    asked = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    said = (environ["REQUEST_METHOD"], asked, environ.get("HTTP_AUTHORIZATION"), os.environ.get("SHOP_DB"))
    if said != ("POST", "{\\"r\\u00e4nge\\": 3}".encode(), "Bearer s3cret", "/srv/s3cret/$x"):
        start_response("400 Bad Request", [])
        return [repr(said).encode()]
    print("connected to", os.environ["SHOP_DB"], flush=True)
    rows = int(environ["QUERY_STRING"].partition("=")[2])
    start_response("200 OK", [("Content-Type", "text/csv")])
    return (b"a,b,c\\n" * rows for _ in range(400 // rows))
"""
SUITE = """
name = "own"
blocks = 1
warmup = "0.1s"
window = "0.2s"

[[target]]
name = "shop"
app = "shop:app"
directory = "."
method = "POST"
body = '{"ränge": 3}'
headers = { Authorization = "Bearer ${SHOP_TOKEN}" }
environment = { SHOP_DB = "/srv/${SHOP_TOKEN}/$x" }
baseline = "join"
stream = "/rows?rows={rows}"
rows = [4, 40]

[[server]]
kind = "gunicorn"

[[scenario]]
kind = "download"
"""


def test_it_is_asked_as_its_suite_says_and_no_secret_is_kept(
    streamgauge: Streamgauge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shop.py").write_text(APP, "utf-8")
    (tmp_path / "own.toml").write_text(SUITE, "utf-8")
    monkeypatch.delenv("SHOP_TOKEN", raising=False)
    refused = streamgauge("run", "own.toml", "--output", "own.sqlite")
    assert refused.returncode == ExitCode.USAGE
    assert "shop, headers.Authorization: the environment variable SHOP_TOKEN is not set" in refused.stderr
    assert not (tmp_path / "own.sqlite").exists()

    monkeypatch.setenv("SHOP_TOKEN", "s3cret")
    done = streamgauge("run", "own.toml", "--output", "own.sqlite")
    assert done.returncode == ExitCode.GOOD, done.stderr
    with Store.open(tmp_path / "own.sqlite") as store:
        run, traces = store.read(), store.traces()
    whole, *streams = run.header.cases
    assert [run.verifications[case.identity].framing for case in (whole, *streams)] == [
        "length",
        "chunked",
        "chunked",
    ]
    assert {run.verifications[case.identity].body_bytes for case in (whole, *streams)} == {400 * 6}
    assert run.verifications[streams[1].identity].chunks == 10
    # the ledger sees what the server is given: the whole form in one piece
    yields = {trace.case: trace.figures["yields"] for trace in traces}
    assert yields == {whole.identity: 1, streams[0].identity: 100, streams[1].identity: 10}
    for path in tmp_path.glob("own.*"):
        assert b"s3cret" not in path.read_bytes()
    assert "s3cret" not in done.stdout + done.stderr
