"""What the documents say is what the code and the kept run say."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from analysis.exports import FOLDERS, FORMATS
from analysis.slope import DEFINITION as MEMORY_SLOPE
from harness.cli import VERBS
from harness.suites.file import parse_suite
from results.errors import ExitCode
from results.metrics import FIGURES
from results.records import Outcome
from results.store import Store
from tests.reference_tables import DOCUMENTS, PICTURES, REFERENCE, ROOT, pictures, rewritten


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_tables_are_those_of_the_reference_run(document: Path) -> None:
    with Store.open(REFERENCE) as store:
        run = store.read()
    text = document.read_text("utf-8")
    assert "<!-- generated:" in text
    assert rewritten(text, run) == text, "run: python -m tests.reference_tables"


def test_pictures_are_those_of_the_reference_run_s_report() -> None:
    named = set(re.findall(r"docs/pictures/([\w.-]+\.svg)", (ROOT / "README.md").read_text("utf-8")))
    assert named == {path.name for path in PICTURES.iterdir()}
    with Store.open(REFERENCE) as store:
        made = pictures(store)
    for name in named:
        assert (PICTURES / name).read_text("utf-8") == made[name], "run: python -m tests.reference_tables"


def test_the_reference_is_one_whole_valid_run_under_5_mb() -> None:
    assert REFERENCE.stat().st_size < 5_000_000
    with Store.open(REFERENCE) as store:
        run = store.read()
    assert run.header.suite == "quick"
    assert run.finished_utc
    assert len(run.trials) == len(run.header.slots) == 72
    assert all(trial.reason is None for trial in run.trials)


def test_the_readme_s_suites_are_valid(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    suite, scenario, gate = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert parse_suite(suite, "README.md", tmp_path).gate
    assert len(parse_suite(suite + scenario, "README.md", tmp_path).scenario) == 2
    assert parse_suite(suite + gate, "README.md", tmp_path).gate[-1].allowed


def test_every_verb_option_and_exit_code_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    for verb in VERBS:
        assert f"| `{verb}" in text
        for option in importlib.import_module(f"harness.cli.{verb}").command.params:
            if option.param_type_name == "option":
                assert option.opts[0] in text
    for name in (*FORMATS, *FOLDERS):
        assert f"| `{name}` |" in text
        assert f"--format {name}" in text
    for code in ExitCode:
        assert f"| {code.value} |" in text


def test_every_figure_and_outcome_is_defined() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text("utf-8")
    for figure in FIGURES.values():
        assert f"`{figure.definition}`" in text
    assert f"`{MEMORY_SLOPE}`" in text
    for outcome in set(Outcome) - {Outcome.UNFINISHED}:
        assert f"`{outcome.label}`" in text
