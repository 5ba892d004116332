"""The middlewares that a suite may name for an app's target.

Their files stand alone: they are copied beside a server under test, and import what they need from its
environment when they are called.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

#: The app as it is.
NONE: Final = "none"

_FOLDER: Final = Path(__file__).parent
_WERKZEUGS: Final = _FOLDER / "werkzeugs.py"
_AFTER_REQUEST: Final = _FOLDER / "after_request.py"


@dataclass(frozen=True, slots=True)
class Middleware:
    """One of ours: what ``factory`` of ``file`` makes of an app is served in its place.

    ``encoding`` is what it encodes responses as for clients that ask for it, null where it does not;
    ``packages`` are those that do that.
    """

    file: Path
    factory: str
    encoding: str | None = None
    packages: tuple[str, ...] = ()


BUILT_IN: Final[Mapping[str, Middleware]] = MappingProxyType(
    {
        "profiler": Middleware(_WERKZEUGS, "profiler"),
        "lint": Middleware(_WERKZEUGS, "lint"),
        "etag": Middleware(_AFTER_REQUEST, "etag"),
        "join": Middleware(_FOLDER.with_name("join.py"), "Join"),
        "compress-gzip": Middleware(_AFTER_REQUEST, "gzip", "gzip", ("flask-compress",)),
        "compress-deflate": Middleware(_AFTER_REQUEST, "deflate", "deflate", ("flask-compress",)),
        "compress-br": Middleware(_AFTER_REQUEST, "br", "br", ("flask-compress", "brotli")),
        "compress-zstd": Middleware(_AFTER_REQUEST, "zstd", "zstd", ("flask-compress", "backports.zstd")),
    }
)


def encoding_of(name: str) -> str | None:
    """What a middleware of this name encodes responses as; null too for one of somebody's own."""
    return BUILT_IN[name].encoding if name in BUILT_IN else None
