"""Each app under a real gunicorn of each worker class."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from targets.servers import KINDS

Serve = Callable[..., AbstractContextManager[Any]]

classes = pytest.mark.parametrize("worker_class", ["sync", "gthread", "gevent"])


@classes
@pytest.mark.parametrize(
    ("app", "whole", "streams"),
    [
        (
            "targets.csv_app:app",
            "/csv?total=3000",
            [
                "/csv/rows?rows=50&total=3000",
                "/csv/bytes?bytes=4096&total=3000",
                "/csv/context?total=3000",
            ],
        ),
        (
            "targets.page_app:app",
            "/page?total=300",
            ["/page/template?total=300", "/page/buffered?n=50&total=300"],
        ),
        ("targets.ndjson_app:app", "/ndjson?total=1000", ["/ndjson/rows?rows=1&total=1000"]),
        ("targets.events_app:app", "/events?total=500", ["/events/stream?total=500"]),
    ],
)
def test_streams_arrive_as_the_whole(
    worker_class: str, app: str, whole: str, streams: list[str], serve: Serve
) -> None:
    with serve(app, worker_class=worker_class) as served:
        expected = served.get(whole)
        assert expected.status == 200
        assert expected.headers["Content-Length"] == str(len(expected.body))
        for path in streams:
            answer = served.get(path)
            assert answer.headers["Transfer-Encoding"] == "chunked"
            assert answer.complete
            assert answer.body == expected.body


@classes
def test_a_stream_without_its_context_fails_in_both_ways(worker_class: str, serve: Serve) -> None:
    with serve("targets.context_app:app", worker_class=worker_class) as served:
        whole = served.get("/context?total=2000")
        assert whole.body == served.get("/context/stream?total=2000").body

        before = served.get("/context/before?total=2000")
        assert before.status == 500
        assert before.complete
        assert b"year,month" not in before.body

        after = served.get("/context/after?total=2000")
        assert after.status == 200
        assert not after.complete
        assert after.body.count(b"\r\n") == 501
        assert whole.body.startswith(after.body)

        assert served.get("/context/stream?total=2000").complete
        assert "Working outside of request context" in served.log.read_text()


@classes
def test_it_says_its_class_and_ends_without_a_trace(
    worker_class: str, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with serve("targets.csv_app:app", worker_class=worker_class) as served:
        assert served.get("/csv?total=1").status == 200
        served.stop()
        assert not served.accepts()
        assert not served.processes_left()
        log = served.log.read_text()
    assert KINDS["gunicorn"].worker_class_that_ran(log) == worker_class
    assert "/csv?total=1" not in log
    assert "Control socket" not in log
    assert [path.name for path in tmp_path.iterdir()] == ["server.log"]
