"""What is not ours inherits: which folder of PATH comes first, and where ours is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from harness.servers.surroundings import inherited_by
from harness.suites.target import Target
from tests.harness.examples import orders

OURS = str(Path(sys.executable).parent)


@pytest.fixture(autouse=True)
def users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The user's own folders, behind ours: an environment that is activated, by another name at that."""
    (tmp_path / "link").symlink_to(sys.prefix)
    folders = ["/usr/local/bin", str(tmp_path), "/usr/bin"]
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "link" / "bin"), *folders]))
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    monkeypatch.setenv("STREAMGAUGE_RESULTS", "results")
    monkeypatch.setenv("SHOP_TOKEN", "t")
    return folders


def inherited(tmp_path: Path, **changed: object) -> dict[str, str]:
    target: Target = orders()[0].target.model_copy(update={"directory": tmp_path, **changed})
    variables = inherited_by(target)
    assert variables["SHOP_TOKEN"] == "t"
    assert "STREAMGAUGE_RESULTS" not in variables
    return variables


def test_an_interpreter_of_its_own_has_its_programs_and_none_of_ours(
    tmp_path: Path, users: list[str]
) -> None:
    variables = inherited(tmp_path, python=tmp_path / "venv" / "bin" / "python")
    assert variables["PATH"].split(os.pathsep) == [str(tmp_path / "venv" / "bin"), *users]
    assert "VIRTUAL_ENV" not in variables


def test_an_app_that_our_interpreter_runs_has_ours_first(tmp_path: Path, users: list[str]) -> None:
    variables = inherited(tmp_path)
    assert variables["PATH"].split(os.pathsep) == [OURS, *users]
    assert variables["VIRTUAL_ENV"] == sys.prefix


def test_a_command_is_the_user_s_and_ours_where_the_user_has_none(tmp_path: Path, users: list[str]) -> None:
    variables = inherited(tmp_path, app=None, command="gunicorn -b {bind} shop:app")
    assert variables["PATH"].split(os.pathsep) == [*users, OURS]
    assert "VIRTUAL_ENV" not in variables


def test_an_environment_of_the_user_s_that_is_activated_stays_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    assert inherited(tmp_path, python=tmp_path / "bin" / "python")["VIRTUAL_ENV"] == str(tmp_path)
