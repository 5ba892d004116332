"""The servers that `launch.py` starts: their defaults, and real apps under each of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from waitress.adjustments import Adjustments

from targets.servers import KINDS, OptionError
from targets.servers.launched import WAITRESS

Serve = Callable[..., AbstractContextManager[Any]]
LAUNCHED = [kind for kind in KINDS if kind != "gunicorn"]


def test_those_that_people_deploy_are_there() -> None:
    assert set(LAUNCHED) == {"waitress", "werkzeug", "granian", "uwsgi", "cheroot"}


@pytest.mark.parametrize("kind", LAUNCHED)
def test_an_app_of_the_working_directory_is_served_as_it_is(kind: str, serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
        "    return iter([b'a', b'', b'b' * 5000, environ['PATH_INFO'].encode()])\n"
    )
    with serve("shop:app", kind=kind) as served:
        answer = served.get("/some/path")
        assert (answer.status, answer.complete) == (200, True)
        assert answer.body == b"a" + b"b" * 5000 + b"/some/path"
        served.stop()
        assert not served.accepts()
        assert not served.processes_left()


@pytest.mark.parametrize("kind", LAUNCHED)
def test_our_own_stream_arrives_as_the_whole(kind: str, serve: Serve) -> None:
    with serve("targets.csv_app:app", kind=kind) as served:
        expected = served.get("/csv?total=3000")
        assert (expected.status, expected.complete) == (200, True)
        answer = served.get("/csv/rows?rows=50&total=3000")
        assert (answer.complete, answer.body) == (True, expected.body)
        assert "/csv/rows" not in served.log.read_text()


@pytest.mark.parametrize("kind", LAUNCHED)
def test_every_option_is_understood(kind: str, serve: Serve) -> None:
    known = KINDS[kind].known  # type: ignore[attr-defined]
    given = {name: (not option.default if option.default is True else 2) for name, option in known.items()}
    with serve("targets.csv_app:app", kind=kind, **given) as served:
        assert served.get("/csv?total=1").status == 200


def test_waitress_defaults_are_its_own() -> None:
    assert WAITRESS.in_force(WAITRESS.read_options({})) == {
        "threads": Adjustments.threads,
        "send_bytes": Adjustments.send_bytes,
    }


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        ("waitress", {"threads": 0}, "waitress threads is 0: allowed is a whole number from 1 to 999."),
        ("waitress", {"threads": True}, "waitress threads is True: allowed is a whole number"),
        ("werkzeug", {"threaded": 1}, "werkzeug threaded is 1: allowed is true and false."),
        ("cheroot", {"workers": 2}, "cheroot has no option workers here: allowed are threads."),
        ("granian", {"threads": "2", "loop": "x"}, "granian threads is '2'"),
    ],
)
def test_an_option_that_would_not_do_what_it_says_is_refused(
    kind: str, given: dict[str, object], words: str
) -> None:
    with pytest.raises(OptionError) as refused:
        KINDS[kind].read_options(given)
    assert words in str(refused.value)
    assert len(str(refused.value).splitlines()) == len(given)
