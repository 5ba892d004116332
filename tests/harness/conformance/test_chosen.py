"""Which servers the words of the command line mean."""

from __future__ import annotations

import sys
from importlib import metadata

import pytest

from harness.conformance.chosen import NotInstalled, installed, named, server_words
from results.errors import ExitCode, UsageError
from targets.servers import KINDS


def labels(*words: str) -> list[str]:
    return [item.label for item in named(words)]


def test_a_kind_a_class_and_an_option() -> None:
    assert labels("gunicorn") == ["gunicorn/sync", "gunicorn/gthread", "gunicorn/gevent"]
    assert labels("gunicorn/gthread", "waitress") == ["gunicorn/gthread", "waitress"]
    assert labels("gunicorn/gthread/threads=4") == ["gunicorn/gthread/threads=4"]
    (sized,) = named(["waitress/send_bytes=18000"])
    assert (sized.kind, dict(sized.options)) == ("waitress", {"send_bytes": 18000})
    (switched,) = named(["werkzeug/threaded=false"])
    assert switched.options["threaded"] is False
    assert labels("gunicorn/sync", "gunicorn") == labels("gunicorn"), "each is asked once"


def test_all_words_that_are_offered_are_taken() -> None:
    for word in server_words():
        assert named([word])


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("apache", "there is no server 'apache'; servers are gunicorn"),
        ("gunicorn/eventlet", "'gunicorn/eventlet' cannot be served"),
        ("waitress/gthread", "waitress has no worker classes"),
        ("waitress/threads=0", "allowed is a whole number from 1 to 999"),
        ("gunicorn/sync/threads=4", "leave threads out"),
        ("", "there is no server ''"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(word: str, told: str) -> None:
    with pytest.raises(UsageError) as refused:
        named([word])
    assert told in str(refused.value)


def test_one_that_is_not_installed_fails_only_where_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name in {"cheroot", "pyuwsgi"}:
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    there, missing = installed()
    assert {item.kind for item in there} == KINDS.keys() - {"cheroot", "uwsgi"}
    assert [item.distribution for item in missing] == ["pyuwsgi", "cheroot"]
    with pytest.raises(NotInstalled) as refused:
        named(["waitress", "cheroot"])
    assert f"cheroot is not installed here; install with: {sys.executable} -m pip install cheroot" in str(
        refused.value
    )
    assert refused.value.exit_code is ExitCode.INVALID
    with pytest.raises(NotInstalled, match=r"cheroot and uwsgi are not .* -m pip install cheroot pyuwsgi$"):
        named(["cheroot", "waitress", "uwsgi", "cheroot/threads=2"])
