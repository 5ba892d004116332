"""What the harness asks of each kind of server; one file of this folder answers for one kind."""

from collections.abc import Mapping
from typing import Protocol, TypeVar

OptionsT = TypeVar("OptionsT")


class OptionError(ValueError):
    """A server option that is unknown, wrong, or would not do what it says; names the remedy."""


class Server(Protocol[OptionsT]):
    """A kind of server: how its options are read, and how it is started. Starts nothing itself."""

    @property
    def DISTRIBUTION(self) -> str:  # noqa: N802
        """The package that must be installed in the environment that runs the server."""

    @property
    def MODULE(self) -> str:  # noqa: N802
        """What is imported to see whether it is there."""

    @property
    def VARIABLES_TO_CLEAR(self) -> tuple[str, ...]:  # noqa: N802
        """Environment variables that change this server's settings behind the suite's back."""

    def read_options(self, given: Mapping[str, object]) -> OptionsT:
        """Turn the options of a suite's `[[server]]` (without `kind`) into this kind's own.

        Raises:
            OptionError: names every option that is unknown, wrong, or would be ignored.
        """

    def in_force(self, options: OptionsT) -> dict[str, str | int]:
        """Return each option with the value that the server runs with, defaults filled in."""

    def arguments(self, options: OptionsT, *, app: str, host: str, port: int, python: str) -> list[str]:
        """Return the command that serves `app` (as a suite names it) on `host` and `port`.

        The app is imported from the working directory of the process first, then from what the
        environment of `python` holds.
        """

    def worker_class_that_ran(self, server_output: str) -> str | None:
        """Return the worker class that the server says it runs; None where it says nothing."""
