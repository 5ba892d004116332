"""Only the driver and the user modules may import Locust and gevent, which patch the world."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import analysis
import harness
import results
import scenarios
import targets

MAY = {
    "scenarios.alarm",
    "scenarios.arrivals",
    "scenarios.driver",
    "scenarios.user",
    "scenarios.client",
    "scenarios.hang_ups",
    "scenarios.others",
    "scenarios.pace",
    "scenarios.polling",
    "scenarios.stamped_socket",
    "scenarios.traced",
    "scenarios.trial",
    "scenarios.web_ui",
    "scenarios.workers.master",
    "scenarios.workers.sockets",
    "scenarios.workers.worker",
}


def modules() -> list[str]:
    packages = (analysis, harness, results, scenarios, targets)
    found = [
        module.name
        for package in packages
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ]
    return [name for name in found if name not in MAY and not name.endswith("gunicorn_conf")]


def test_nothing_else_imports_locust_or_gevent() -> None:
    names = modules()
    assert {"harness.conduct", "harness.cli.run", "scenarios.link", "targets.csv_app"} <= set(names)
    code = (
        "import importlib, sys\n"
        f"for name in {names!r}:\n"
        "    importlib.import_module(name)\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'locust', 'gevent'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_those_that_may_do() -> None:
    """Each of them fails to import where neither is to be had."""
    code = (
        "import importlib, sys\n"
        "sys.modules['locust'] = sys.modules['gevent'] = None\n"
        f"for name in {sorted(MAY)!r}:\n"
        "    try:\n"
        "        importlib.import_module(name)\n"
        "    except ModuleNotFoundError as error:\n"
        "        print(name, error.name.split('.')[0] in {'locust', 'gevent'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines() == [f"{name} True" for name in sorted(MAY)]


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom harness.cli import main\nmain(['--help'])\n"
        "print(sorted(set(sys.modules) & {'numpy', 'pydantic', 'rich', 'flask', 'psutil', 'sqlite3'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip().endswith("[]")
