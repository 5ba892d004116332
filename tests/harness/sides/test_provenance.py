"""Both sides of an ab from one code: told before anything is measured."""

from __future__ import annotations

import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.programs.processes import Processes
from harness.sides.provenance import check_own_code
from harness.sides.sides import cases_on
from harness.suites.file import load_suite
from harness.suites.matrix import PlannedCase, cases_of
from results.errors import ExitCode, MeasurementError
from results.sides import Side, SideRecord
from tests.revisions import SUITE, Repository, resting

WSGI = "from shop import app\n"


@pytest.fixture
def processes() -> Iterator[Processes]:
    with Processes() as started:
        yield started


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An app that lies in ``src`` and is served by a module at the top."""
    made = Repository.made_in(tmp_path / "shop")
    made.commit({"src/shop.py": resting(0)["app/shop.py"], "wsgi.py": WSGI, "suite.toml": ""})
    return made


def on_head(repository: Repository, tmp_path: Path, **changed: str) -> tuple[SideRecord, list[PlannedCase]]:
    """The cases in a copy of what was committed, as an ab serves them; keys of the target are changed."""
    checkout = tmp_path / "head"
    if not checkout.exists():
        repository.git("worktree", "add", "--quiet", "--detach", str(checkout))
    keys = {"app": "shop:app", "directory": ".", **changed}
    lines = "\n".join(f'{key} = "{value}"' for key, value in keys.items())
    suite = SUITE.replace('app = "shop:app"\ndirectory = "app"', lines)
    (repository.path / "suite.toml").write_text(suite)
    planned = cases_of(load_suite(str(repository.path / "suite.toml")))
    item = SideRecord(Side.HEAD, "HEAD", repository.git("rev-parse", "HEAD"), str(repository.path))
    return item, list(cases_on({case.case.identity: case for case in planned}, item, checkout).values())


def check(given: tuple[SideRecord, list[PlannedCase]], processes: Processes, tmp_path: Path) -> None:
    check_own_code(*given, processes, tmp_path, sys.executable)


@pytest.mark.parametrize("app", ["shop:app", "wsgi:app"])
def test_code_of_the_working_tree_is_refused(
    repository: Repository, processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, app: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(repository.path / "src"))
    with pytest.raises(MeasurementError, match=r"head would not serve .*/shop/src/shop\.py") as told:
        check(on_head(repository, tmp_path, app=app), processes, tmp_path)
    assert told.value.exit_code is ExitCode.INVALID


def test_an_environment_that_leads_to_the_working_tree_is_refused(
    repository: Repository, processes: Processes, tmp_path: Path
) -> None:
    """As after ``pip install -e``: a file in the environment names the folder."""
    venv.create(tmp_path / "shared", with_pip=False)
    (site,) = (tmp_path / "shared").glob("lib/python*/site-packages")
    (site / "shop.pth").write_text(f"{repository.path / 'src'}\n")
    python = str(tmp_path / "shared" / "bin" / "python")
    with pytest.raises(MeasurementError, match=r"head would not serve .*/shop/src/shop\.py"):
        check(on_head(repository, tmp_path, app="wsgi:app", python=python), processes, tmp_path)
    (site / "shop.pth").write_text(f"{tmp_path / 'head' / 'src'}\n")
    check(on_head(repository, tmp_path, app="wsgi:app", python=python), processes, tmp_path)


def test_an_environment_around_the_working_tree_excuses_nothing(
    repository: Repository, processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv.create(tmp_path, with_pip=False)  # the repository lies in it
    monkeypatch.setenv("PYTHONPATH", str(repository.path / "src"))
    given = on_head(repository, tmp_path, app="wsgi:app", python=str(tmp_path / "bin" / "python"))
    with pytest.raises(MeasurementError, match=r"head would not serve .*/shop/src/shop\.py"):
        check(given, processes, tmp_path)


def test_an_app_that_is_installed_as_a_copy_is_refused(
    repository: Repository, processes: Processes, tmp_path: Path
) -> None:
    venv.create(tmp_path / "shared", with_pip=False)
    (site,) = (tmp_path / "shared").glob("lib/python*/site-packages")
    (site / "shop.py").write_bytes((repository.path / "src" / "shop.py").read_bytes())
    given = on_head(repository, tmp_path, python=str(tmp_path / "shared" / "bin" / "python"))
    with pytest.raises(MeasurementError, match=r"head would not serve .*site-packages/shop\.py"):
        check(given, processes, tmp_path)


def test_a_side_s_own_code_passes_and_so_does_what_only_its_server_can_tell(
    repository: Repository, processes: Processes, tmp_path: Path
) -> None:
    check(on_head(repository, tmp_path, directory="src"), processes, tmp_path)
    check(on_head(repository, tmp_path, app="wsgi:app"), processes, tmp_path)  # shop is not to be found
    check(on_head(repository, tmp_path, app="nowhere:app"), processes, tmp_path)
