"""nginx's options, and the configuration that comes of them."""

import re
from dataclasses import replace

import pytest

from targets.proxies import Place
from targets.proxies.nginx import Options, configuration, in_force, read_options, version_in
from targets.servers import OptionError

PLACE = Place(
    host="10.0.0.1",
    port=8001,
    upstream_host="127.0.0.1",
    upstream_port=8002,
    ready_path="/ready",
    user=None,
    open_files=1024,
)


def directive(text: str, name: str) -> list[str]:
    """What the configuration says of it, once for each time."""
    return re.findall(rf"^\s*{name} (.*);$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"buffering": "off"}, ("buffering", "'off'", "true and false")),
        ({"buffering": 1}, ("buffering", "1", "true and false")),
        ({"http_version": 1.1}, ("http_version", "1.1", '"1.0" and "1.1"')),
        ({"http_version": "2"}, ("http_version", "'2'", '"1.0" and "1.1"')),
        ({"http_version": ["1.0"]}, ("http_version", "['1.0']", '"1.0" and "1.1"')),
        ({"gzip": None}, ("gzip", "None", "true and false")),
        ({"buffer_bytes": 512}, ("buffer_bytes", "512", "1024 to 16777216")),
        ({"buffer_bytes": "4k"}, ("buffer_bytes", "'4k'", "whole number")),
        ({"proxy_buffering": True}, ("proxy_buffering", "buffering, http_version, gzip, buffer_bytes")),
    ],
)
def test_an_option_that_is_not_one_is_refused(given: dict[str, object], words: tuple[str, ...]) -> None:
    with pytest.raises(OptionError) as refused:
        read_options(given)
    assert str(refused.value).startswith("nginx ")
    for word in words:
        assert word in str(refused.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(OptionError) as refused:
        read_options({"buffering": 0, "http_version": "1.2", "zip": True})
    assert len(str(refused.value).splitlines()) == 3


def test_options_in_force_hold_the_defaults() -> None:
    assert in_force(read_options({})) == {
        "buffering": True,
        "http_version": "1.0",
        "gzip": False,
        "buffer_bytes": 4096,
    }
    given = {"buffering": False, "http_version": "1.1", "gzip": True, "buffer_bytes": 65536}
    assert in_force(read_options(given)) == given


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(), {"proxy_buffering": "on", "proxy_http_version": "1.0", "gzip": "off"}),
        (Options(buffering=False), {"proxy_buffering": "off"}),
        (Options(http_version="1.1"), {"proxy_http_version": "1.1"}),
        (Options(gzip=True), {"gzip": "on"}),
        (Options(buffer_bytes=8192), {"proxy_buffer_size": "8192", "proxy_buffers": "8 8192"}),
    ],
)
def test_each_option_is_written_out(options: Options, expected: dict[str, str]) -> None:
    text = configuration(options, PLACE)
    for name, value in expected.items():
        assert directive(text, name) == [value]


def test_the_configuration_is_for_its_place_and_keeps_everything_in_its_folder() -> None:
    text = configuration(Options(), replace(PLACE, user="root", open_files=2048))
    assert directive(text, "listen") == ["10.0.0.1:8001 backlog=4096"]
    assert directive(text, "proxy_pass") == ["http://127.0.0.1:8002"]
    assert directive(text, "user") == ["root"]
    assert directive(text, "worker_connections") == directive(text, "worker_rlimit_nofile") == ["2048"]
    paths = re.findall(r"^\s*(?:\w+_temp_path|pid) (\S+);$", text, re.MULTILINE)
    assert len(paths) == 6
    assert not any(path.startswith("/") for path in paths)
    assert directive(configuration(Options(), PLACE), "user") == []


def test_the_version_is_the_one_that_the_program_tells() -> None:
    assert version_in("nginx version: nginx/1.22.1\n") == "1.22.1"
    assert version_in("nginx version: nginx/1.18.0 (Ubuntu)\n") == "1.18.0"
    assert version_in("nginx version: openresty/1.27.1.2\n") == "1.27.1.2"
    assert version_in("unknown option\n") is None
