"""System programs that tests run: without one they are skipped with the reason, and fail under CI=true."""

from __future__ import annotations

import os
import subprocess
from typing import NoReturn

import pytest

from harness.servers.proxying import find_program

_FOR_NETWORKS = ("ip", "tc", "unshare", "nsenter", "setpriv")


def need(*names: str) -> None:
    """Ends the test, or all of a fixture's, where one of these programs is not installed."""
    missing = [name for name in names if find_program(name) is None]
    if not missing:
        return
    _lacking(f"{', '.join(missing)} not installed; .ci/run says which packages the whole tests need")


def need_mounts() -> list[str]:
    """The words before a command that give it mounts of its own; ends the test where the kernel will not."""
    need("mount")
    return _namespaces("--mount")


def need_time_namespaces() -> list[str]:
    """The words before a command that give it clocks of its own; ends the test where the kernel will not."""
    return _namespaces("--time")


def _namespaces(kind: str) -> list[str]:
    need("unshare")
    words = ["unshare", kind, *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    done = subprocess.run([*words, "true"], capture_output=True, text=True, check=False)
    if done.returncode:
        _lacking(f"unshare {kind}: {done.stderr.strip()}; run as root, or allow user namespaces")
    return words


def need_network_namespaces() -> None:
    """Ends the test where no network namespaces can be made here."""
    need(*_FOR_NETWORKS)
    reason = lacking_network_namespaces()
    if reason is not None:
        _lacking(reason)


def _lacking(reason: str) -> NoReturn:
    """End the test: in CI nothing may be lacking."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def lacking_network_namespaces() -> str | None:
    """Why none can be made here; null where they can."""
    missing = [name for name in _FOR_NETWORKS if find_program(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed"
    done = subprocess.run(["unshare", "--net", "--uts", "true"], capture_output=True, text=True, check=False)
    return f"no network namespaces ({done.stderr.strip()}); run as root" if done.returncode else None
