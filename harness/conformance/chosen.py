"""Which servers `conform` asks: the words of the command line, and what is installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata

from harness.servers.installing import installing
from harness.servers.words import kind_and_options
from results.conformance.findings import Missing
from results.errors import MeasurementError, UsageError
from targets.servers import KINDS, OptionError
from targets.servers.gunicorn import DEFAULTS as GUNICORN_CLASSES


class NotInstalled(MeasurementError):  # noqa: N818  - named for what is wrong
    """A server that was asked for by name is not there."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """One server with options that are not its defaults; ``label`` is what it is called in tables."""

    label: str
    kind: str
    options: Mapping[str, str | int]


def named(words: Sequence[str]) -> list[Chosen]:
    """The servers of ``KIND``, ``KIND/CLASS`` or ``KIND/OPTION=VALUE``; gunicorn alone is all of its classes.

    Raises UsageError for what there is not, NotInstalled with all that is not installed.
    """
    found: dict[str, Chosen] = {}
    for word in words:
        for chosen in _read(word):
            found.setdefault(chosen.label, chosen)
    asked = dict.fromkeys(chosen.kind for chosen in found.values())
    missing = [kind for kind in asked if version_of(kind) is None]
    if missing:
        packages = [KINDS[kind].DISTRIBUTION for kind in missing]
        raise NotInstalled(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed here; "
            f"install with: {installing(*packages)}"
        )
    return list(found.values())


def installed() -> tuple[list[Chosen], list[Missing]]:
    """All servers that are there with their defaults, and the kinds that are not."""
    there = [kind for kind in KINDS if version_of(kind) is not None]
    missing = [Missing(kind, KINDS[kind].DISTRIBUTION) for kind in KINDS if kind not in there]
    return [chosen for kind in there for chosen in _read(kind)], missing


def version_of(kind: str) -> str | None:
    """The installed version of a kind; None without one."""
    try:
        return metadata.version(KINDS[kind].DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return None


def server_words() -> list[str]:
    """What may be asked for without options."""
    return [*KINDS, *(f"gunicorn/{name}" for name in GUNICORN_CLASSES)]


def _read(word: str) -> list[Chosen]:
    kind, options = kind_and_options(word)
    if kind not in KINDS:
        raise UsageError(f"there is no server {kind!r}; servers are {', '.join(server_words())}")
    all_classes = kind == "gunicorn" and "worker_class" not in options
    classes = [{"worker_class": name} for name in GUNICORN_CLASSES] if all_classes else [{}]
    return [_checked(word, kind, {**one, **options}) for one in classes]


def _checked(word: str, kind: str, options: Mapping[str, str | int]) -> Chosen:
    try:
        KINDS[kind].read_options(options)
    except OptionError as error:
        raise UsageError(f"{word!r} cannot be served: {error}") from error
    parts = [str(value) if name == "worker_class" else f"{name}={value}" for name, value in options.items()]
    return Chosen("/".join([kind, *parts]), kind, options)
