"""nginx as a reverse proxy: the options that decide whether a stream goes through, and its configuration.

Directives and defaults are those of the documentation of ngx_http_proxy_module and ngx_http_gzip_module
(nginx.org), looked at in nginx 1.22.1.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from targets.proxies.proxy import Place
from targets.servers.options import Choice, Number, Option, Switch, read

PROGRAM: Final = "nginx"
INSTALL: Final = "on Debian: apt-get install nginx"
VARIABLES_TO_CLEAR: Final = ("NGINX",)  # left by an nginx above us: ours would take over its sockets
CONFIGURATION_FILE: Final = "nginx.conf"

KNOWN: Final[Mapping[str, Option]] = MappingProxyType(
    {
        "buffering": Switch(True),
        "http_version": Choice("1.0", ("1.0", "1.1")),
        "gzip": Switch(False),
        # it must hold the whole header block of a response
        "buffer_bytes": Number(4096, 1024, 2**24),
    }
)
"""nginx's own defaults. That of ``http_version`` is 1.1 from nginx 1.29.7 on, and that of ``buffer_bytes`` is
the size of a page, which is 4096 on most machines; both are written out, so that a case means the same
everywhere."""

#: What streams: text/html is always among them.
_GZIP_TYPES: Final = (
    "text/csv",
    "text/plain",
    "text/event-stream",
    "application/json",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/x-jsonl",
    "application/jsonlines",
    "application/x-jsonlines",
    "application/json-seq",
)
_VERSION: Final = re.compile(r"nginx version: \S+?/(\S+)")

_CONFIGURATION: Final = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile {open_files};
pid nginx.pid;
error_log stderr;
{user}
events {{
    worker_connections {open_files};
}}

http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;

    # the proxy is not what ends a slow stream, or a connection between two requests
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
    client_header_timeout 3600s;
    client_body_timeout 3600s;
    client_max_body_size 0;
    send_timeout 3600s;
    proxy_read_timeout 3600s;
    proxy_send_timeout 3600s;

    # each header of a suite arrives at the app
    ignore_invalid_headers off;
    underscores_in_headers on;
    large_client_header_buffers 8 64k;

    gzip {gzip};
    gzip_proxied any;
    gzip_min_length 20;
    gzip_types {gzip_types};

    server {{
        listen {listen} backlog=4096;

        location = {ready_path} {{
            return 204;
        }}

        location / {{
            proxy_pass http://{upstream};
            proxy_http_version {http_version};
            proxy_set_header Host $http_host;
            # from nginx 1.29.7 on it would keep the connection, and before not
            proxy_set_header Connection close;
            {uncompressed}
            proxy_buffering {buffering};
            proxy_buffer_size {buffer_bytes};
            proxy_buffers 8 {buffer_bytes};
        }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Options:
    """Options of one nginx.

    Attributes:
        buffering: whether a piece of the response waits until a buffer is full (`proxy_buffering`).
        http_version: what nginx speaks to the server, "1.0" or "1.1" (`proxy_http_version`). A 1.0 response
            is ended by closing the connection: one that was cut off looks like one that is complete.
        gzip: whether responses are compressed for clients that ask for it (`gzip`).
        buffer_bytes: bytes of each buffer (`proxy_buffer_size`, and eight such `proxy_buffers`).
    """

    buffering: bool = True
    http_version: str = "1.0"
    gzip: bool = False
    buffer_bytes: int = 4096


def read_options(given: Mapping[str, object]) -> Options:
    """Make `Options` of a suite's table, whose keys are their names.

    Raises:
        OptionError: names every option that is unknown, of a wrong type or out of range.
    """
    return Options(**read("nginx", KNOWN, given))


def in_force(options: Options) -> dict[str, str | int]:
    """Return every option, with the defaults filled in."""
    return {name: getattr(options, name) for name in KNOWN}


def encoding(options: Options) -> str | None:
    """Return what it encodes responses as for clients that ask for it."""
    return "gzip" if options.gzip else None


def configuration(options: Options, place: Place) -> str:
    """Return the text of a complete configuration; its files are relative to the prefix (`-p`)."""
    return _CONFIGURATION.format(
        listen=_authority(place.host, place.port),
        upstream=_authority(place.upstream_host, place.upstream_port),
        ready_path=place.ready_path,
        open_files=place.open_files,
        user=f"user {place.user};" if place.user is not None else "",
        gzip=_switch(options.gzip),
        # what the app compresses by itself would be left alone
        uncompressed='proxy_set_header Accept-Encoding "";' if options.gzip else "",
        gzip_types=" ".join(_GZIP_TYPES),
        buffering=_switch(options.buffering),
        http_version=options.http_version,
        buffer_bytes=options.buffer_bytes,
    )


def arguments(program: str, folder: str) -> list[str]:
    """Return the command; errors go to stderr from the first one on."""
    return [program, "-e", "stderr", "-p", folder, "-c", CONFIGURATION_FILE]


def version_arguments(program: str) -> list[str]:
    """Return the command that tells its version (on stderr)."""
    return [program, "-v"]


def version_in(output: str) -> str | None:
    """Return the version of "nginx version: nginx/1.22.1"; None without such a line."""
    line = _VERSION.search(output)
    return line[1] if line else None


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _switch(on: bool) -> str:
    return "on" if on else "off"
