"""Installed as a tool, from a wheel, and used in a folder that has packages of the same names."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from results.store import Store
from tests.cli.conftest import TINY, environment
from tests.cli.spoilt import again_while_spoilt

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
        timeout=100,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel in it; its dependencies are the ones that we run with."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True, timeout=100)
    python = environment / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps",
         "--no-index", "--disable-pip-version-check", str(wheel)],
        check=True,
        timeout=100,
    )  # fmt: skip
    (site,) = environment.glob("lib/python*/site-packages")
    # The folder itself and not its .pth files: our checkout is not on this path.
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return environment / "bin" / "streamgauge"


def test_the_wheel_holds_what_is_needed_and_no_runs(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "results/schema.sql",
        "targets/ledger.py",
        "analysis/exports/streamgauge.schema.json",
        "scenarios/suites/quick.toml",
        "targets/data/flights.csv.xz",
        "targets/templates/flights.html",
    ):
        assert needed in names
    assert not [
        name for name in names if name.endswith(".sqlite") or name.startswith(("tests", "results/runs"))
    ]


def test_a_user_s_own_targets_and_results_stay_theirs(installed: Path, tmp_path: Path) -> None:
    for name in ("targets", "results", "scenarios", "analysis", "harness"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"raise ImportError('this {name} is the user s own')\n")
    (tmp_path / "shop.py").write_text(
        "import importlib.util, os\n"
        "assert importlib.util.find_spec('targets').origin == os.path.abspath('targets/__init__.py')\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Type', 'text/csv')])\n"
        "    whole = environ['PATH_INFO'] == '/whole'\n"
        "    return [b'a,b\\n' + b'1,2\\n' * 100] if whole else iter([b'a,b\\n'] + [b'1,2\\n'] * 100)\n"
    )
    (tmp_path / "tiny.toml").write_text(
        TINY.format(blocks=1).replace("trace = false", "").replace("[1, 100]", "100")
        + '\n[[target]]\nname = "shop"\napp = "shop:app"\ndirectory = "."\n'
        + 'baseline = "/whole"\nstream = "/stream"\n'
    )
    done = again_while_spoilt(
        lambda: subprocess.run(
            [str(installed), "run", "tiny.toml"],
            cwd=tmp_path,
            env={**environment(), "PYTHONPATH": ".", "STREAMGAUGE_RESULTS": ""},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        ),
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "results").glob("*.sqlite")
    with Store.open(path) as store:
        run = store.read()
        traces = store.traces()
    assert path.with_suffix(".html").exists(), "the wheel has what a report is made of"
    assert [trace.reason for trace in traces] == [None] * 4
    assert len(run.trials) == len(run.header.slots) == 6
    assert all(trial.reason is None for trial in run.trials)
    assert {trial.slot.case.split("target=")[1].split()[0] for trial in run.trials} == {"shop", "flights.csv"}
