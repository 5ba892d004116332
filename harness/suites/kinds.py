"""The tables of a suite that name a kind of server or proxy: every other key is an option of that kind."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Protocol, Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from harness.suites.values import distinct
from targets import proxies, servers
from targets.servers import OptionError


class _Kind(Protocol):
    """What servers and proxies have in common here."""

    def read_options(self, given: Mapping[str, object]) -> object:
        """Raises OptionError with all that is wrong with them."""


class _NoProxy:
    """The kind that is no proxy."""

    def read_options(self, given: Mapping[str, object]) -> None:
        """Raises OptionError where there are any."""
        if given:
            raise OptionError(f'kind = "none" takes no options; leave {", ".join(given)} out')


class _KindTable(BaseModel):
    """One kind with its options; a list is an axis."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kinds: ClassVar[Mapping[str, _Kind]]
    kind: str

    @field_validator("kind")
    @classmethod
    def _check_kind(cls, kind: str) -> str:
        if kind not in cls.kinds:
            raise ValueError(f"not a known kind; known kinds are {', '.join(sorted(cls.kinds))}")
        return kind

    @model_validator(mode="after")
    def _check_options(self) -> Self:
        problems: dict[str, None] = {}
        for option, values in self.axes.items():
            try:
                distinct(values)
            except ValueError as error:
                problems[f"{option}: {error}"] = None
        for options in self.combinations():
            try:
                self.kinds[self.kind].read_options(options)
            except OptionError as error:
                problems[str(error)] = None
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def combinations(self) -> Iterator[dict[str, Any]]:
        """Every combination of the options' values."""
        axes = self.axes
        for values in itertools.product(*axes.values()):
            yield dict(zip(axes, values, strict=True))

    @property
    def axes(self) -> Mapping[str, list[Any]]:
        """The options' values by name; a single value is a list of one."""
        extra = self.model_extra or {}
        return {option: value if isinstance(value, list) else [value] for option, value in extra.items()}


class ServerTable(_KindTable):
    """One kind of server."""

    kinds = servers.KINDS


class ProxyTable(_KindTable):
    """One kind of proxy in front of what a suite measures; ``none`` is the same without one."""

    kinds = {proxies.NONE: _NoProxy(), **proxies.KINDS}

    @property
    def encodes(self) -> bool:
        """Whether one of its combinations encodes responses."""
        if self.kind == proxies.NONE:
            return False
        proxy = proxies.KINDS[self.kind]
        return any(proxy.encoding(proxy.read_options(given)) for given in self.combinations())
