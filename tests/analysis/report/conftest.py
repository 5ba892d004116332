"""Reports that several tests look at: one on a run whose truth is known, one on a run of a hostile app."""

from __future__ import annotations

import pytest

from analysis.report.content import Report
from tests.analysis.report.hostile import make_hostile_run
from tests.analysis.report.reading import reported
from tests.known_run import make_known_run


@pytest.fixture(scope="session")
def known_report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return reported(make_known_run(tmp_path_factory.mktemp("known") / "run.sqlite"))


@pytest.fixture(scope="session")
def hostile_report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return reported(make_hostile_run(tmp_path_factory.mktemp("hostile") / "run.sqlite"))
