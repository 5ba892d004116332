"""What the environment record says of a checkout."""

from __future__ import annotations

import os
import platform
import subprocess
import venv
from importlib import metadata
from pathlib import Path

from harness.environment import PACKAGES, git_state, read_environment
from harness.programs.cores import Cores
from harness.servers.proxying import installed_version
from harness.suites.matrix import cases_of
from tests.harness.examples import HEAD, SCENARIO, SERVER, TARGET, suite_of

NOBODY = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_COMMITTER_DATE": "2031-02-03T04:05:06+09:00",
}


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *words],
        env=os.environ | NOBODY,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_checkout_has_its_commit_the_commit_s_date_in_utc_and_whether_it_is_clean(tmp_path: Path) -> None:
    assert git_state(tmp_path) is None
    git(tmp_path, "init", "--quiet")
    assert git_state(tmp_path) is None, "a checkout without a commit has none"
    (tmp_path / "app.py").write_text("app = 1\n")
    git(tmp_path, "add", "app.py")
    git(tmp_path, "commit", "--quiet", "--message", "One")
    state = {"commit": git(tmp_path, "rev-parse", "HEAD"), "committed_utc": "2031-02-02T19:05:06+00:00"}
    assert git_state(tmp_path) == state | {"dirty": False}
    (tmp_path / "app.py").write_text("app = 2\n")
    assert git_state(tmp_path) == state | {"dirty": True}


def test_a_proxy_and_middleware_have_their_versions_where_a_suite_uses_them() -> None:
    target = TARGET + 'middleware = ["etag", "compress-br"]\n'
    cases = cases_of(suite_of(HEAD + target + SERVER + '[[proxy]]\nkind = "nginx"\n' + SCENARIO))
    packages = read_environment(Cores(), None, cases)["packages"]
    found = {name: packages[name] for name in packages.keys() - set(PACKAGES)}
    assert found == {
        "nginx": installed_version("nginx"),
        "flask-compress": metadata.version("flask-compress"),
        "brotli": metadata.version("brotli"),
    }
    assert read_environment(Cores(), None)["packages"].keys() == set(PACKAGES)


def test_an_interpreter_of_a_target_has_its_own_versions(tmp_path: Path) -> None:
    """In a folder whose modules would be taken for its own; one that is not there yet tells nothing."""
    venv.create(tmp_path / "own", with_pip=False, symlinks=True)
    (tmp_path / "json.py").write_text("raise SystemExit(1)\n")
    installed = next((tmp_path / "own").glob("lib/python*/site-packages")) / "flask-0.99.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: flask\nVersion: 0.99\n")
    (tmp_path / "shop.py").write_text("app = None\n")
    found = {}
    for name in ("own", "later"):
        target = TARGET + f'python = "{tmp_path / name / "bin" / "python"}"\ndirectory = "."\n'
        cases = cases_of(suite_of(HEAD + target + SERVER + SCENARIO, tmp_path))
        found[name] = read_environment(Cores(), None, cases)
    assert found["own"]["target_packages"] == {
        "orders.csv python": platform.python_version(),
        "orders.csv flask": "0.99",
    }
    assert found["later"]["target_packages"] == {}
    assert found["own"]["packages"]["flask"] == metadata.version("flask")
