"""The ledger is not noticed by the app or the server, and its books are right."""

from __future__ import annotations

import ast
import io
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

from harness.trials.ledger_file import LedgerDamaged, await_ledger, read_ledger
from results.trace import LedgerRecord
from targets import ledger
from targets.ledger import Ledger

App = Callable[..., Iterable[bytes]]
FIELDS = [("Content-Type", "text/plain")]


@dataclass
class Answer:
    """What a server would have sent, piece by piece."""

    status: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    exc_info: object = None
    pieces: list[bytes] = field(default_factory=list)
    length: int | None = None


def environment(method: str = "GET", path: str = "/a", port: int = 40_001) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "REMOTE_PORT": str(port),
        "wsgi.file_wrapper": FileWrapper,
    }
    setup_testing_defaults(environ)
    return environ


def ask(app: App, method: str = "GET", most: int | None = None) -> Answer:
    """Do what PEP 3333 asks of a server; take ``most`` pieces and hang up then."""
    answer = Answer()

    def start_response(status: str, headers: Any, exc_info: object = None) -> Callable[[bytes], object]:
        answer.status, answer.headers, answer.exc_info = status, headers, exc_info
        return answer.pieces.append

    body = app(environment(method), start_response)
    try:
        answer.length = len(body) if isinstance(body, Sized) else None
        for piece in body:
            answer.pieces.append(piece)
            if most is not None and len(answer.pieces) >= most:
                break
    finally:
        if hasattr(body, "close"):
            body.close()
    return answer


class Closing:
    """A body that knows how often it was closed."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    def close(self) -> None:
        self.closed += 1


def list_app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", FIELDS)
    return [b"one", b"", b"three"]


def generator_app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("201 Created", [*FIELDS, ("X-Mine", "1")])
    yield b"one"
    yield b"three"


def writing_app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    write = start_response("200 OK", FIELDS)
    write(b"written")
    write(b"twice")
    return [b"then yielded"]


def failing_app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    try:
        int("the paper ran out")
    except ValueError:
        start_response("500 Oh No", FIELDS, sys.exc_info())
    return [b"sorry"]


def file_app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", FIELDS)
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](io.BytesIO(b"x" * 2500), 1000)
    return wrapped


def head_app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [*FIELDS, ("Content-Length", "5")])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [b"whole"]


APPS = (list_app, generator_app, writing_app, failing_app, file_app, head_app)


def one(path: Path) -> LedgerRecord:
    (record,) = read_ledger(path)
    return record


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return tmp_path / "records"


def sizes(record: LedgerRecord) -> list[int]:
    return [int(size) for size in record.yields[:, 1]]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("app", APPS)
def test_server_and_app_notice_nothing(app: App, method: str, records: Path) -> None:
    bare = ask(app, method)
    traced = ask(Ledger(app, str(records)), method)
    assert (traced.status, traced.headers, traced.pieces) == (bare.status, bare.headers, bare.pieces)
    assert traced.length == bare.length
    assert (traced.exc_info is None) == (bare.exc_info is None)
    assert sizes(one(records)) == [len(piece) for piece in bare.pieces]


@pytest.mark.parametrize("app", [list_app, generator_app, writing_app, failing_app, head_app])
def test_it_keeps_pep_3333_towards_both_sides(app: App, records: Path) -> None:
    """The validator stands for a strict server outside, and for a strict app inside."""
    expected = ask(app).pieces
    assert ask(validator(Ledger(app, str(records)))).pieces == expected
    assert ask(Ledger(validator(app), str(records))).pieces == expected
    assert len(read_ledger(records)) == 2


def test_a_body_without_a_length_gets_none(records: Path) -> None:
    assert ask(Ledger(list_app, str(records))).length == 3
    assert ask(Ledger(generator_app, str(records))).length is None


def test_each_yield_is_stamped_when_the_app_makes_it(records: Path) -> None:
    made: list[int] = []

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", FIELDS)
        for size in (3, 0, 70_000):
            time.sleep(0.005)
            made.append(time.monotonic_ns())
            yield b"x" * size

    before = time.monotonic_ns()
    ask(Ledger(app, str(records)))
    record = one(records)
    assert sizes(record) == [3, 0, 70_000]
    stamps = [int(instant) for instant in record.yields[:, 0]]
    assert record.ended_ns is not None
    assert record.closed_ns is not None
    order = [
        before,
        record.began_ns,
        *(instant for pair in zip(made, stamps, strict=True) for instant in pair),
    ]
    order += [record.ended_ns, record.closed_ns, time.monotonic_ns()]
    assert order == sorted(order)
    assert (record.remote_port, record.path, record.ending) == (40_001, "/a", "exhausted")


def test_books_longer_than_their_room_lose_nothing(records: Path) -> None:
    count = 3 * ledger._ROOM + 1

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", FIELDS)
        return (b"x" * (number % 7) for number in range(count))

    traced = Ledger(app, str(records))
    ask(traced)
    ask(traced)
    first, second = read_ledger(records)
    assert sizes(first) == sizes(second) == [number % 7 for number in range(count)]
    assert first.own_bytes >= 16 * (count - ledger._ROOM)
    assert second.own_bytes == 0


def test_an_app_that_fails_in_the_middle_fails_as_it_does_without(records: Path) -> None:
    body = Closing(piece for piece in _broken())
    with pytest.raises(RuntimeError, match="ran out"):
        ask(Ledger(_serving(body), str(records)))
    record = one(records)
    assert (record.ending, sizes(record), body.closed) == ("raised", [3, 3], 1)
    assert record.ended_ns is not None
    assert record.closed_ns is not None
    assert record.ended_ns <= record.closed_ns


def test_an_app_that_fails_at_once_is_in_the_books(records: Path) -> None:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        raise LookupError("no such order")

    traced = Ledger(app, str(records))
    with pytest.raises(LookupError, match="no such order"):
        ask(traced)
    assert (one(records).ending, one(records).closed_ns) == ("raised", None)


def test_a_client_that_hangs_up_leaves_an_abandoned_body_that_was_closed(records: Path) -> None:
    body = Closing(b"abc" for _ in range(10))
    ask(Ledger(_serving(body), str(records)), most=2)
    record = one(records)
    assert (record.ending, sizes(record), body.closed) == ("abandoned", [3, 3], 1)
    assert record.ended_ns is None
    assert record.closed_ns is not None


def test_an_error_in_close_is_the_app_s_and_is_in_the_books(records: Path) -> None:
    class Stuck(Closing):
        def close(self) -> None:
            raise OSError("the drawer is stuck")

    with pytest.raises(OSError, match="drawer"):
        ask(Ledger(_serving(Stuck([b"a"])), str(records)))
    assert one(records).ending == "exhausted"


def test_a_file_wrapper_is_seen_and_told(records: Path) -> None:
    ask(Ledger(file_app, str(records)))
    ask(Ledger(list_app, str(records)))
    of_file, of_list = read_ledger(records)
    assert sizes(of_file) == [1000, 1000, 500]
    assert (of_file.sendfile_lost, of_list.sendfile_lost) == (True, False)


def test_a_wrapper_that_returns_the_file_is_told_and_read_in_blocks(records: Path, tmp_path: Path) -> None:
    """As uWSGI's does; its lines would be yields that no server makes."""
    path = tmp_path / "lines"
    path.write_bytes(b"a line\n" * 3_000)
    opened = []

    def sending(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", FIELDS)
        opened.append(path.open("rb"))
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](opened[0], 8192)
        return wrapped

    def as_uwsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return Ledger(sending, str(records))(
            {**environ, "wsgi.file_wrapper": lambda file, _: file}, start_response
        )

    assert b"".join(ask(as_uwsgi).pieces) == path.read_bytes()
    record = one(records)
    assert record.sendfile_lost
    assert sizes(record) == [8192, 8192, 21_000 - 2 * 8192]
    assert opened[0].closed


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's high-water mark is Linux's")
def test_memory_is_told_only_of_requests_that_were_alone(records: Path) -> None:
    traced = Ledger(generator_app, str(records))

    def begun(port: int) -> Any:
        body = traced(environment(port=port), lambda *_: list[bytes]().append)
        return body, iter(body)

    ask(traced)
    outer, outer_pieces = begun(1)
    next(outer_pieces)
    inner, inner_pieces = begun(2)
    list(outer_pieces)
    outer.close()
    after, after_pieces = begun(3)
    list(inner_pieces)
    inner.close()
    list(after_pieces)
    after.close()
    ask(traced)
    known = [
        (record.remote_port, record.rss_at_begin_bytes is not None, record.hwm_bytes is not None)
        for record in read_ledger(records)
    ]
    assert known == [
        (40_001, True, True),
        (1, False, False),
        (2, False, False),
        (3, False, False),
        (40_001, True, True),
    ]


def test_a_record_that_breaks_off_is_an_error(records: Path) -> None:
    ask(Ledger(list_app, str(records)))
    whole = records.read_bytes()
    for damaged in (whole[:-1], whole[:20], whole + b"x", b"y" + whole):
        records.write_bytes(damaged)
        with pytest.raises(LedgerDamaged, match="breaks off or is damaged at byte"):
            read_ledger(records)


def test_a_record_that_is_still_being_written_is_waited_for(records: Path) -> None:
    ask(Ledger(list_app, str(records)))
    whole = records.read_bytes()
    records.write_bytes(whole[:-1])
    with pytest.raises(LedgerDamaged):
        await_ledger(records, since_ns=0, count=1, patience_s=0.05)
    writer = threading.Timer(0.1, records.write_bytes, [whole])
    writer.start()
    (record,) = await_ledger(records, since_ns=0, count=1, patience_s=20)
    writer.join()
    assert sizes(record) == [3, 0, 5]
    assert await_ledger(records, since_ns=record.began_ns + 1, count=0, patience_s=1) == []


def test_a_ledger_that_cannot_write_says_so_and_serves_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(Ledger(list_app, str(tmp_path / "nowhere" / "records"))).pieces == [b"one", b"", b"three"]
    assert "ledger cannot write to" in capsys.readouterr().err


def test_it_stands_alone_beside_an_app_that_the_environment_names(tmp_path: Path) -> None:
    """Copied away, under another name, without our packages and without any that are installed."""
    ast.parse(Path(ledger.__file__).read_text("utf-8"), feature_version=(3, 8))
    shutil.copyfile(ledger.__file__, tmp_path / "odd_name.py")
    (tmp_path / "shop.py").write_text(
        "class Desk:\n"
        "    @staticmethod\n"
        "    def app(environ, start_response):\n"
        "        start_response('200 OK', [])\n"
        "        return [b'sold']\n"
    )
    code = (
        "import sys\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "import odd_name\n"
        "body = odd_name.app({'PATH_INFO': '/desk'}, lambda *_: None)\n"
        "assert list(body) == [b'sold'] and odd_name.app is odd_name.app\n"
        "body.close()\n"
        "known = {'targets', 'results', 'harness', 'numpy', 'flask'}\n"
        "print(sorted(known & {name.split('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", code],
        cwd=tmp_path,
        env={ledger.APP_VARIABLE: "shop:Desk.app", ledger.FILE_VARIABLE: str(tmp_path / "records")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
    record = one(tmp_path / "records")
    assert (record.path, sizes(record), record.remote_port) == ("/desk", [4], None)


def _serving(body: Iterable[bytes]) -> App:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", FIELDS)
        return body

    return app


def _broken() -> Iterator[bytes]:
    yield b"one"
    yield b"two"
    raise RuntimeError("the paper ran out")
