"""Middleware and proxies around a paced app, on real servers: what holds a response back is seen to do so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from analysis.trial.tracing import delivery
from harness.conduct import verify
from harness.programs.cores import Cores
from harness.servers.serving import ServerFailed, serving
from harness.suites.file import parse_suite
from harness.suites.matrix import PlannedCase, cases_of
from harness.trials.tracing import CaseTracer
from harness.trials.verify import VerifyFailed
from harness.trials.workshop import Workshop, workshop
from results.records import Verification
from results.trace import Trace
from targets.middleware import BUILT_IN
from tests.harness.examples import Untold
from tests.programs import need

PIECES, PIECE_BYTES, GAP_MS = 6, 512, 30
GAP_NS = GAP_MS * 1_000_000
PATH = f"?pieces={PIECES}&bytes={PIECE_BYTES}&gap_ms={GAP_MS}"
#: A Flask app around the paced probe, the same as plain WSGI, and middleware of its own.
APP = """
from flask import Flask, request

from {paced} import contents, paced

app = Flask(__name__)

@app.get("/health")
def health():
    return "ok"

def asked():
    return [int(request.args[key]) for key in ("pieces", "bytes", "gap_ms")]

@app.get("/rows")
def rows():
    return paced(*asked()), {{"Content-Type": "text/csv"}}

@app.get("/whole")
def whole():
    return b"".join(contents(*asked()[:2])), {{"Content-Type": "text/csv"}}

@app.get("/pictures")
def pictures():
    return paced(*asked()), {{"Content-Type": "image/x-paced"}}

plain = app.wsgi_app

def collecting(app):
    def collected(environ, start_response):
        return [b"".join(app(environ, start_response))]
    return collected
"""


#: Of two cores; what is paced sleeps for most of its time.
AT_ONCE = 3


@pytest.fixture(scope="module")
def shops() -> Iterator[Sequence[Workshop]]:
    with ExitStack() as stack:
        yield [stack.enter_context(workshop(Cores())) for _ in range(AT_ONCE)]


@pytest.fixture
def shop(shops: Sequence[Workshop]) -> Workshop:
    return shops[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("paced")
    paced = Path(__file__).parents[3] / "targets" / "paced.py"
    (made / "probe_of_tests.py").write_text(paced.read_text("utf-8"))
    (made / "paced_shop.py").write_text(APP.format(paced="probe_of_tests"))
    return made


def cases(
    folder: Path,
    middleware: str,
    *,
    app: str = "app",
    stream: str = "/rows",
    baseline: str = "/whole{path}",
    server: str = 'kind = "gunicorn"',
    proxy: str = "",
    piece_bytes: int = PIECE_BYTES,
) -> dict[str, PlannedCase]:
    path = PATH.replace(f"bytes={PIECE_BYTES}", f"bytes={piece_bytes}")
    text = f"""name = "held"
    [[target]]
    name = "paced"
    app = "paced_shop:{app}"
    directory = "."
    ready = "/health"
    baseline = "{baseline.format(path=path)}"
    stream = "{stream}{path}"
    middleware = {middleware}
    [[server]]
    {server}
    {proxy}
    [[scenario]]
    kind = "download"
    """
    return {planned.case.identity: planned for planned in cases_of(parse_suite(text, "held.toml", folder))}


Traced = tuple[PlannedCase, Verification, Trace]


def traced(shops: Sequence[Workshop], planned: Mapping[str, PlannedCase], *forms: str) -> Iterator[Traced]:
    """Each case of these forms, once all of its layer are verified; several layers beside each other."""
    layers: dict[str, int] = {}
    shares: list[dict[str, PlannedCase]] = [{} for _ in shops]
    for identity, case in planned.items():
        number = layers.setdefault(f"{case.middleware} {case.proxy_options}", len(layers))
        shares[number % len(shops)][identity] = case
    with ThreadPoolExecutor(len(shops)) as pool:
        for found in pool.map(lambda shop, share: list(traced_in(shop, share, *forms)), shops, shares):
            yield from found


def traced_in(shop: Workshop, planned: Mapping[str, PlannedCase], *forms: str) -> Iterator[Traced]:
    """The same, one after another."""
    tracer = CaseTracer(shop)
    found = verify(planned, shop, Untold())
    for identity, case in planned.items():
        if case.case.parameters["form"] not in forms:
            continue
        trace = tracer(case, found[identity])
        assert trace.reason is None
        assert trace.note is None
        yield case, found[identity], trace


def check_held(trace: Trace) -> None:
    """The first piece waits for the last one, which is yielded a whole schedule later."""
    assert delivery(trace.figures) == "held to the end"
    assert (trace.figures["delivery_lag_max"] or 0) > (PIECES - 2) * GAP_NS


def test_each_middleware_is_seen_to_hold_what_it_holds(shops: Sequence[Workshop], folder: Path) -> None:
    names = ["none", *BUILT_IN, "paced_shop:collecting"]
    for planned, found, trace in traced(shops, cases(folder, repr(names)), "stream"):
        assert found.body_bytes == PIECES * PIECE_BYTES
        # the yields are the app's, whatever is around it
        assert trace.figures["yields"] == PIECES
        assert trace.figures["chunk"] == PIECE_BYTES
        if planned.middleware in {"none", "lint"}:
            assert delivery(trace.figures) == "streams", planned.middleware
        else:
            check_held(trace)


def test_an_app_that_is_not_flasks_is_seen_through_too(shops: Sequence[Workshop], folder: Path) -> None:
    names = ["none", "profiler", "lint", "join", "paced_shop:collecting"]
    planned = cases(folder, repr(names), app="plain", server='kind = "waitress"')
    for case, _, trace in traced(shops, planned, "stream"):
        if case.middleware in {"none", "lint"}:
            assert delivery(trace.figures) == "streams", case.middleware
        else:
            check_held(trace)


@pytest.mark.parametrize("app", ["app", "plain"])
def test_what_is_collected_for_a_whole_form_has_the_middleware_around_it(
    shops: Sequence[Workshop], folder: Path, app: str
) -> None:
    names = ["profiler", "join"] + (["etag", "compress-br"] if app == "app" else [])
    planned = cases(folder, repr(names), app=app, baseline="join")
    for _, found, trace in traced(shops, planned, "whole"):
        assert found.body_bytes == PIECES * PIECE_BYTES
        assert trace.figures["yields"] == 1


def test_a_response_that_is_not_compressed_as_its_case_says_measures_nothing(
    shop: Workshop, folder: Path
) -> None:
    planned = cases(folder, '["compress-br"]', stream="/pictures", baseline="join")
    with pytest.raises(VerifyFailed) as refused:
        verify(planned, shop, Untold())
    text = str(refused.value)
    assert text.count("it is not encoded as br (its Content-Encoding: none), and so measures nothing") == 2


def test_what_needs_flask_is_told_before_anything_is_timed(shop: Workshop, folder: Path) -> None:
    (planned, *_) = cases(folder, '["etag"]', app="plain").values()
    with (
        pytest.raises(ServerFailed, match="etag works on the responses of a Flask app"),
        serving(planned, processes=shop.processes, folder=shop.folder, cores=None, python=shop.python),
    ):
        pass


def test_a_middleware_of_the_apps_own_that_is_not_there_is_told(shop: Workshop, folder: Path) -> None:
    (planned, *_) = cases(folder, '["paced_shop:compressing"]').values()
    with (
        pytest.raises(ServerFailed, match="there is no paced_shop:compressing: paced_shop has no"),
        serving(planned, processes=shop.processes, folder=shop.folder, cores=None, python=shop.python),
    ):
        pass


def test_nothing_is_left_beside_the_app(shop: Workshop, folder: Path) -> None:
    for planned in cases(folder, '["etag"]', baseline="join").values():
        with serving(planned, processes=shop.processes, folder=shop.folder, cores=None, python=shop.python):
            assert any(path.name.startswith("streamgauge_") for path in shop.folder.iterdir())
    assert not [path for path in shop.folder.iterdir() if path.name.startswith("streamgauge_")]


def test_nginx_is_seen_to_hold_what_it_holds(shops: Sequence[Workshop], folder: Path) -> None:
    need("nginx")
    proxy = """
    [[proxy]]
    kind = "none"
    [[proxy]]
    kind = "nginx"
    buffering = [true, false]
    gzip = [true, false]
    [[proxy]]
    kind = "nginx"
    http_version = "1.1"
    gzip = [true, false]
    """
    for case, found, trace in traced(shops, cases(folder, '"none"', proxy=proxy), "stream"):
        parameters = case.case.parameters
        zipped = bool(parameters.get("proxy_gzip"))
        assert found.body_bytes == PIECES * PIECE_BYTES
        # with HTTP/1.1 each chunk of the server is a buffer of its own, which gzip then holds
        holds = zipped or parameters.get("proxy_http_version") == "1.0"
        if parameters.get("proxy_buffering") and holds:
            check_held(trace)
        else:
            assert delivery(trace.figures) == "streams", parameters


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_of_a_piece_larger_than_a_buffer_of_nginx_the_rest_waits(
    shops: Sequence[Workshop], folder: Path, version: str
) -> None:
    need("nginx")
    proxy = f'[[proxy]]\nkind = "nginx"\nhttp_version = "{version}"\nbuffering = [true, false]'
    planned = cases(folder, '"none"', proxy=proxy, piece_bytes=6000)
    for case, _, trace in traced(shops, planned, "stream"):
        held = case.case.parameters["proxy_buffering"]
        assert delivery(trace.figures) == ("partly held" if held else "streams")
