"""What prepares an app, and an interpreter that cannot run the server: told before anything is measured."""

from __future__ import annotations

import sys
import venv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from harness.programs.processes import Processes
from harness.servers.prepare import PrepareFailed, check_interpreters, prepare
from harness.suites.matrix import PlannedCase
from results.errors import ExitCode
from results.sides import Preparation, Side
from targets.servers import KINDS
from targets.servers.launched import WAITRESS
from tests.harness.examples import orders


@pytest.fixture
def processes() -> Iterator[Processes]:
    with Processes() as started:
        yield started


def cases(folder: Path, **changed: object) -> list[PlannedCase]:
    return [
        replace(planned, target=planned.target.model_copy(update={"directory": folder, **changed}))
        for planned in orders()
    ]


def prepared(processes: Processes, folder: Path, command: Sequence[str]) -> list[Preparation]:
    begun: list[tuple[Side | None, Sequence[str]]] = []
    recorded: list[Preparation] = []
    prepare(
        Side.BASE,
        cases(folder, prepare=tuple(command)),
        processes,
        folder,
        lambda side, words: begun.append((side, words)),
        recorded.append,
    )
    assert begun == [(Side.BASE, tuple(command))]
    return recorded


def test_it_is_run_once_in_the_directory_and_its_output_is_kept(processes: Processes, tmp_path: Path) -> None:
    code = "from pathlib import Path; Path('made').open('a').write('x'); print('two words')"
    recorded = prepared(processes, tmp_path, [sys.executable, "-c", code])
    assert (tmp_path / "made").read_text() == "x"
    assert recorded == [Preparation(Side.BASE, str(tmp_path), (sys.executable, "-c", code), "two words\n")]


def test_one_that_fails_is_told_with_its_own_words(processes: Processes, tmp_path: Path) -> None:
    with pytest.raises(
        PrepareFailed, match=r"(?s)prepare on base, .* ended with code 3.*no wheels today"
    ) as told:
        prepared(processes, tmp_path, [sys.executable, "-c", "print('no wheels today'); raise SystemExit(3)"])
    assert told.value.exit_code is ExitCode.INVALID
    with pytest.raises(PrepareFailed, match=r"prepare on base.*no-such-program.*install it"):
        prepared(processes, tmp_path, ["no-such-program"])


def test_an_interpreter_that_runs_the_server_passes(processes: Processes, tmp_path: Path) -> None:
    check_interpreters(Side.HEAD, cases(tmp_path, python=Path(sys.executable)), processes, tmp_path)


def test_an_interpreter_without_the_server_is_told(processes: Processes, tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    bare = tmp_path / "bare" / "bin" / "python"
    with pytest.raises(
        PrepareFailed, match=r"(?s)python on head, .*install it there.*No module named 'gunicorn'"
    ):
        check_interpreters(Side.HEAD, cases(tmp_path, python=bare), processes, tmp_path)
    with pytest.raises(PrepareFailed, match=r"python on head: there is no .*/nowhere; correct the path"):
        check_interpreters(Side.HEAD, cases(tmp_path, python=tmp_path / "nowhere"), processes, tmp_path)


def test_a_server_that_is_not_installed_is_told_with_the_way_to_install_it(
    processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = replace(WAITRESS, kind="absent", DISTRIBUTION="absent-server", MODULE="no_such_server")
    monkeypatch.setitem(cast("dict[str, object]", KINDS), "absent", absent)
    planned = [replace(case, server_kind="absent") for case in orders()]
    with pytest.raises(
        PrepareFailed, match=r"the server absent is not installed.*-m pip install absent-server"
    ) as told:
        check_interpreters(None, planned, processes, tmp_path)
    assert (told.value.keys, told.value.server) == ((), "absent")
    check_interpreters(None, orders(), processes, tmp_path)
