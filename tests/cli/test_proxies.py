"""A suite with a proxy, as the command line begins it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import proxying
from harness.cli.session import Asked, begun, draft
from results.errors import UsageError
from tests.harness.examples import ORDERS


def test_a_proxy_that_is_not_installed_is_told_before_anything_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = tmp_path / "orders.toml"
    suite.write_text(ORDERS + '[[proxy]]\nkind = "nginx"\n')
    store = tmp_path / "run.sqlite"
    words = Asked(str(suite), None, None, None, None, None, store)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(proxying, "_SYSTEM_FOLDERS", ())
    with pytest.raises(UsageError, match=r"nginx is not installed.*apt-get install nginx"):
        begun(draft(words), words)
    assert not store.exists()
