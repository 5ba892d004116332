"""Shell completion: the words, what they cost, and a real bash that completes them."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import pytest

from analysis.exports import FOLDERS
from analysis.exports import FORMATS as EXPORTED
from harness.cli import VERBS, words
from harness.suites.file import load_suite
from harness.suites.matrix import cases_of
from results.metrics import FIGURES
from scenarios.built_in import built_in_suites
from tests.cli.conftest import PROGRAM, environment, once
from tests.cli.stores import make_store

HEAVY = {"numpy", "scipy", "pydantic", "rich", "flask", "psutil", "sqlite3", "locust", "gevent", "matplotlib"}


def completed(folder: Path, *given: str, instruction: str = "bash_complete") -> list[str]:
    """What is offered for the last of these words, in a folder of the user's."""
    variables = {
        "_STREAMGAUGE_COMPLETE": instruction,
        "COMP_WORDS": "\n".join(["streamgauge", *given]),
        "COMP_CWORD": str(len(given)),
    }
    done = once(folder, **variables)
    assert done.returncode == 0
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


@pytest.mark.parametrize("verb", VERBS)
def test_words_are_those_that_the_verb_takes(verb: str) -> None:
    real = importlib.import_module(f"harness.cli.{verb}").command.params
    light = words.declared(verb, "").params

    def known(parameters: list[click.Parameter]) -> list[tuple[object, ...]]:
        return [
            (
                parameter.param_type_name,
                parameter.opts,
                getattr(parameter, "is_flag", None),
                parameter.multiple,
            )
            for parameter in parameters
        ]

    assert known(light) == known(real)
    assert words._read(verb) is not None, "all are read, and none had to be imported"


def choices(verb: str, option: str) -> list[str]:
    """What the verb itself takes for this option."""
    parameters = importlib.import_module(f"harness.cli.{verb}").command.params
    (kind,) = (parameter.type for parameter in parameters if option in parameter.opts)
    assert isinstance(kind, click.Choice)
    return list(kind.choices)


def test_verbs_options_suites_and_files(tmp_path: Path) -> None:
    (tmp_path / "orders.toml").write_text("")
    (tmp_path / "notes.txt").write_text("")
    assert completed(tmp_path, "") == list(VERBS)
    assert completed(tmp_path, "co") == ["conform", "compare", "completion"]
    shared = {"--blocks", "--until", "--budget", "--only", "--resume", "--quiet", "--json", "--no-report"}
    assert shared | {"--web"} <= set(completed(tmp_path, "run", "--"))
    assert shared | {"--base", "--head", "--fail-on"} <= set(completed(tmp_path, "ab", "--"))
    assert completed(tmp_path, "run", "") == [*built_in_suites(), "orders.toml"]
    assert completed(tmp_path, "plan", "o") == ["orders.toml"]
    assert completed(tmp_path, "compare", "a", "b", "--figure", "ttfb_p") == ["ttfb_p50", "ttfb_p95"]
    assert set(completed(tmp_path, "history", ".", "--figure", "")) == set(FIGURES)
    assert completed(tmp_path, "completion", "z") == ["zsh"]
    assert completed(tmp_path, "conform", "gunicorn/g") == ["gunicorn/gthread", "gunicorn/gevent"]
    assert completed(tmp_path, "conform", "waitress", "--only", "h") == ["hang-up", "head"]
    assert completed(tmp_path, "conform", "waitress", "ch") == ["cheroot"]


def test_choices_are_those_that_there_are(tmp_path: Path) -> None:
    assert completed(tmp_path, "conform", "--only", "") == choices("conform", "--only")
    assert set(completed(tmp_path, "export", "--format", "")) == {*EXPORTED, *FOLDERS}
    assert completed(tmp_path, "report", "--format", "") == choices("report", "--format")
    for verb in ("run", "ab"):
        assert completed(tmp_path, verb, "--until", "") == choices(verb, "--until")
    assert completed(tmp_path, "ab", "--fail-on", "") == choices("ab", "--fail-on")


def test_stored_runs_the_latest_first(tmp_path: Path) -> None:
    for number, name in enumerate(("old", "new")):
        path = make_store(tmp_path / "results" / f"{name}.sqlite")
        os.utime(path, (number, number))
    for before in (("show",), ("compare", "new"), ("run", "--resume")):
        assert completed(tmp_path, *before, "") == ["latest", "new", "old"]


@pytest.mark.parametrize("name", built_in_suites())
def test_every_case_word_names_a_case(name: str, tmp_path: Path) -> None:
    offered = completed(tmp_path, "run", name, "--only", "")
    suite = load_suite(name)
    axes: list[tuple[str, Sequence[object]]] = [
        item for target in suite.target for item in target.axes.items() if len(item[1]) > 1
    ]
    axes += [("after", scenario.after) for scenario in suite.scenario if scenario.kind == "hang-up"]
    assert offered
    assert {f"{key}={value}" for key, values in axes for value in values} <= set(offered)
    for word in offered:
        assert cases_of(suite, word)


def test_case_words_of_a_file_and_of_no_file(tmp_path: Path) -> None:
    (tmp_path / "orders.toml").write_text(
        '[[target]]\nname = "orders"\nstream = "/?rows={rows}"\nrows = [7, 8]\nother = [1]\n'
        '[[server]]\nkind = "gunicorn"\npreload = [true, false]\n'
    )
    assert completed(tmp_path, "run", "orders.toml", "--only", "") == [
        "form=whole", "target=orders", "form=stream", "rows=7", "rows=8",
        "server=gunicorn", "preload=true", "preload=false",
    ]  # fmt: skip
    for half in (
        "[target]\nname = 'x'",
        "target = 5\nserver = 'x'\nscenario = [1]",
        "[[target]]\nstream = 5\n[[server]]\nkind = {}",
        "not = [toml",
    ):
        (tmp_path / "orders.toml").write_text(half)
        assert set(completed(tmp_path, "run", "orders.toml", "--only", "")) <= {"form=whole", "form=stream"}
    assert completed(tmp_path, "run", "orders.toml", "--only", "") == []


def test_completion_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom harness.cli import main\nmain()\n"
        f"print(sorted({{name.split('.')[0] for name in sys.modules}} & {HEAVY!r}), file=sys.stderr)"
    )
    for given in (
        ["run", "--"],
        ["ab", "--"],
        ["run", "full", "--only", "r"],
        ["compare", "a", "b", "--figure", ""],
        ["conform", "--only", "h"],
        [""],
    ):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment()
            | {
                "_STREAMGAUGE_COMPLETE": "bash_complete",
                "COMP_WORDS": "\n".join(["streamgauge", *given]),
                "COMP_CWORD": str(len(given)),
            },
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert "plain," in done.stdout
        assert done.stderr.strip() == "[]"


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        (("streamgauge", "run", "quick", "--only", "rows", "=", "5"), ["500"]),
        (("streamgauge", "run", "quick", "--only", "rows", "="), ["1", "500"]),
        (("streamgauge", "compare", "a", "b", "--figure", "=", "ttfb_p"), ["ttfb_p50", "ttfb_p95"]),
        (("streamgauge", "pl"), ["plan"]),
        (("./run.sh", "pl"), ["plan"]),
    ],
)
def test_bash_completes_what_is_typed(tmp_path: Path, line: tuple[str, ...], offered: list[str]) -> None:
    """Bash splits words at ``=``; the script of a checkout completes its run.sh too."""
    (tmp_path / "run.sh").symlink_to(PROGRAM)
    script = subprocess.run(
        [PROGRAM, "completion", "bash"],
        env=environment() | {"STREAMGAUGE_COMMAND": "./run.sh"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert script.rstrip().endswith("complete -o nosort -F _streamgauge_completion run.sh")
    typed = " ".join(f"'{word}'" for word in line)
    script += (
        f"\nCOMP_WORDS=({typed}); COMP_CWORD={len(line) - 1}\n"
        f"_streamgauge_completion {line[0]}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=tmp_path,
        env=environment() | {"PATH": f"{Path(PROGRAM).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == offered, done.stderr


@pytest.mark.parametrize(("shell", "word"), [("zsh", "compdef"), ("fish", "complete --no-files")])
def test_other_shells_have_their_script(shell: str, word: str) -> None:
    done = subprocess.run(
        [PROGRAM, "completion", shell], capture_output=True, text=True, check=True, timeout=60
    )
    assert word in done.stdout
    assert f"_STREAMGAUGE_COMPLETE={shell}_complete" in done.stdout
