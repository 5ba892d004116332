"""Workers are told that the run is over, also where the master shares its core with others."""

from __future__ import annotations

import os
from pathlib import Path

from harness.loading.crew import Crew
from harness.loading.load import LoadDriver
from harness.programs.processes import Processes
from tests.scenarios.workers.crews import TOKEN, Running


def test_a_worker_ends_with_a_run_whose_master_is_pinned(tmp_path: Path) -> None:
    core = max(os.sched_getaffinity(0))
    crew = Crew(1, 1, "127.0.0.1", 0, TOKEN, patience_s=10, muster_s=60)
    with Processes() as processes:
        with LoadDriver(processes, tmp_path, None, crew=crew, master_cores=[core]) as driver:
            worker = Running(driver, processes, tmp_path, crew.host, []).lend(patience_s=60)
            driver.muster()
        assert worker.process.wait(10) == 0
        assert list(worker.told())[-1]["why"] == "the run is over"
