"""An app with an interpreter of its own sees nothing of ours: bare, collected, and traced."""

from __future__ import annotations

import json
import os
import shutil
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from results.errors import ExitCode
from results.store import Store
from tests.cli.conftest import anew
from tests.cli.spoilt import again_while_spoilt

#: What is needed to run gunicorn, and no more.
_SERVER = ("gunicorn", "packaging")
APP = """
import importlib.util, json, os, sys

OURS = ["streamgauge_start", "harness", "targets", "scenarios", "results", "analysis",
        "locust", "gevent", "flask", "numpy", "psutil"]
seen = {
    "importable": [name for name in OURS if importlib.util.find_spec(name)],
    "prefix": sys.prefix,
    "path": sys.path,
    "programs": os.environ["PATH"].split(os.pathsep),
    "environment": os.environ.get("VIRTUAL_ENV"),
    "variables": {name: os.environ[name] for name in os.environ if name.startswith(("STREAMG", "PYTHONP"))},
    "modules": sorted(name for name in sys.modules if name.startswith("streamgauge")),
}
with open("seen.jsonl", "a") as book:
    book.write(json.dumps(seen) + "\\n")

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/csv")])
    return iter([b"a,b\\n" * 500] * 5)
"""
SUITE = """
name = "alone"
blocks = 1
warmup = "0.1s"
window = "0.2s"

[[target]]
name = "alone"
app = "alone:app"
directory = "shop"
python = "environment/bin/python"
prepare = ["python", "-c", "import os, sys; print(sys.prefix, os.environ['PATH'], sep=os.pathsep)"]
baseline = "join"
stream = "/"

[[server]]
kind = "gunicorn"

[[scenario]]
kind = "download"
"""


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A new environment with a server in it and nothing else."""
    folder = tmp_path / "environment"
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for name in _SERVER:
        shutil.copytree(Path(sysconfig.get_paths()["purelib"]) / name, site / name)
    return folder


def test_neither_our_packages_nor_our_paths_are_there(
    tmp_path: Path, environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "alone.py").write_text(APP)
    (tmp_path / "alone.toml").write_text(SUITE)
    (tmp_path / "mine").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "mine"))
    monkeypatch.setenv("STREAMGAUGE_RESULTS", str(tmp_path))
    # ours is activated, as a shell may have it
    ours = Path(sys.prefix) / "bin"
    (tmp_path / "tools").mkdir()
    users = [str(tmp_path / "tools"), "/usr/local/bin", "/usr/bin", "/bin"]
    monkeypatch.setenv("PATH", os.pathsep.join([str(ours), *users]))
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    words = ("run", "alone.toml", "--output", "alone.sqlite", "--no-report")
    done = again_while_spoilt(lambda: anew(tmp_path, *words), tmp_path)
    assert done.returncode == ExitCode.GOOD, done.stderr
    with Store.open(tmp_path / "alone.sqlite") as store:
        assert [trace.reason for trace in store.traces()] == [None, None]
        (prepared,) = store.read().preparations
    programs = [str(environment / "bin"), *users]
    assert prepared.output.strip().split(os.pathsep) == [str(environment), *programs], "python is its own"
    processes = [json.loads(line) for line in (tmp_path / "shop" / "seen.jsonl").read_text().splitlines()]
    wrapped: set[tuple[str, ...]] = set()
    for seen in processes:
        assert seen["importable"] == []
        assert seen["prefix"] == str(environment)
        assert seen["programs"] == programs
        assert seen["environment"] is None
        mine, *ours = seen["variables"].pop("PYTHONPATH").split(":")
        assert mine == str(tmp_path / "mine"), "what the user has there stays, and stays first"
        # each is the folder of one middleware, which is named in the variables that it reads
        names = tuple(sorted(Path(folder).name.rpartition("_")[0] for folder in ours))
        wrapped.add(names)
        assert {name.rpartition("_")[0] for name in seen["modules"]} <= set(names)
        assert all(name.startswith(tuple(f"{each.upper()}_" for each in names)) for name in seen["variables"])
        known = {str(tmp_path / "shop"), mine, *ours}
        others = {folder for folder in seen["path"] if folder and folder not in known}
        assert all(Path(folder).is_relative_to(environment) or "python3" in folder for folder in others)
        assert not any(
            "site-packages" in folder for folder in others if not folder.startswith(str(environment))
        )
    assert wrapped == {
        (),
        ("streamgauge_join",),
        ("streamgauge_ledger",),
        ("streamgauge_join", "streamgauge_ledger"),
    }
