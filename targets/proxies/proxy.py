"""What the harness asks of each kind of proxy; one file of this folder answers for one kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

OptionsT = TypeVar("OptionsT")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a proxy listens (``host``, ``port``), and in front of what: ``upstream_host``, ``upstream_port``.

    The hosts are IP addresses. ``ready_path`` is answered by the proxy itself, with 204. ``user`` is who it
    runs as, null where it cannot choose. It may hold so many ``open_files`` at once.
    """

    host: str
    port: int
    upstream_host: str
    upstream_port: int
    ready_path: str
    user: str | None
    open_files: int


class Proxy(Protocol[OptionsT]):
    """A kind of proxy: how its options are read, and how it is started. Starts nothing itself."""

    @property
    def PROGRAM(self) -> str:  # noqa: N802
        """The program's name, as it is found in PATH."""

    @property
    def INSTALL(self) -> str:  # noqa: N802
        """How it is installed, in words."""

    @property
    def VARIABLES_TO_CLEAR(self) -> tuple[str, ...]:  # noqa: N802
        """Environment variables that change this proxy's settings behind the suite's back."""

    @property
    def CONFIGURATION_FILE(self) -> str:  # noqa: N802
        """What the file of its configuration is called, in the folder that it is started in."""

    def read_options(self, given: Mapping[str, object]) -> OptionsT:
        """Turn the options of a suite's `[[proxy]]` (without `kind`) into this kind's own.

        Raises:
            OptionError: names every option that is unknown or out of range.
        """

    def in_force(self, options: OptionsT) -> dict[str, str | int]:
        """Return each option with the value that the proxy runs with, defaults filled in."""

    def encoding(self, options: OptionsT) -> str | None:
        """Return what it encodes responses as for clients that ask for it; None where it does not."""

    def configuration(self, options: OptionsT, place: Place) -> str:
        """Return the text of its configuration; what it names of files is relative to its folder."""

    def arguments(self, program: str, folder: str) -> list[str]:
        """Return the command that runs `program` in `folder`, which holds its configuration."""

    def version_arguments(self, program: str) -> list[str]:
        """Return the command that tells its version."""

    def version_in(self, output: str) -> str | None:
        """Return the version in what that command wrote; None where there is none."""
