"""The suites that come with the project, without reading any: a shell that completes words asks for them."""

from __future__ import annotations

from importlib.resources import files

_SUFFIX = ".toml"


def built_in_suites() -> list[str]:
    """Their names."""
    names = (item.name for item in (files("scenarios") / "suites").iterdir())
    return sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))


def built_in_text(name: str) -> str:
    """The TOML of the suite of this name."""
    return (files("scenarios") / "suites" / f"{name}{_SUFFIX}").read_text("utf-8")
