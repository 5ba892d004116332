"""The target of a suite: one app, its whole form and its streamed one, and how they are asked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from analysis.buffers.caps import read_cap
from harness.suites.values import (
    App,
    AxisValue,
    Baseline,
    Command,
    CommandLine,
    Duration,
    HeaderName,
    HeaderValue,
    Method,
    MiddlewareName,
    Name,
    Path_,
    PathTemplate,
    Table,
    Url,
    VariableName,
    VariableValue,
    as_list,
    distinct,
    placeholders,
)
from results.case import SETTINGS
from targets.middleware import NONE


class Target(Table):
    """One app with a whole form and a streamed one; ``axes`` are the keys that their paths name.

    It is served by the suite's servers (``app``), by a ``command`` of its own, or runs already (``url``;
    ``pid`` is its process).

    ``headers``, ``body`` and ``environment`` may name variables of ours (`harness.suites.variables`): here
    they are as they are written. ``memory_cap`` bounds what a recommended buffer may take.
    """

    name: Name
    app: App | None = None
    command: CommandLine | None = None
    url: Url | None = None
    pid: Annotated[int, Field(gt=0, strict=True)] | None = None
    directory: Path | None = Field(default=None, validate_default=True)
    python: Path | None = None
    prepare: Command | None = None
    expect: Literal["success", "failure"] = "success"
    baseline: Baseline | None = Field(default=None, validate_default=True)
    stream: PathTemplate
    form: Name = "stream"
    ready: Path_ = "/"
    method: Method = "GET"
    headers: dict[HeaderName, HeaderValue] = Field({})
    body: str | None = None
    environment: dict[VariableName, VariableValue] = Field({})
    middleware: Annotated[list[MiddlewareName], BeforeValidator(as_list), AfterValidator(distinct)] = Field(
        [NONE]
    )
    memory_cap: str | None = None
    timeout: Annotated[Duration, Field(gt=0)] = 30.0
    status: Annotated[int, Field(ge=200, le=599, strict=True)] = 200
    row_marker: Annotated[str, Field(min_length=1)] | None = None
    check: Literal["bytes", "length"] = "bytes"
    axes: dict[str, Annotated[list[AxisValue], AfterValidator(distinct)]]

    @model_validator(mode="before")
    @classmethod
    def _collect_axes(cls, table: object) -> object:
        """Keys that a path names are axes; any other unknown key stays, and is refused."""
        if not isinstance(table, dict):
            return table
        if "axes" in table:
            raise ValueError("axes is not a key; each axis has its own, like rows = [1, 2]")
        named = {name for key in ("stream", "baseline") for name in placeholders(table.get(key))}
        axes = {key: as_list(table[key]) for key in table if key in named - set(cls.model_fields)}
        return {key: value for key, value in table.items() if key not in axes} | {"axes": axes}

    @field_validator("directory")
    @classmethod
    def _in_folder(cls, directory: Path | None, info: ValidationInfo) -> Path | None:
        """The directory, which is relative to the suite file, made absolute. A command has one always."""
        if directory is None:
            if info.data.get("command") is None:
                return None
            directory = Path()
        folder = ((info.context or {}).get("folder") or Path.cwd()) / directory
        if not folder.is_dir():
            raise ValueError(f"{folder.resolve()} is not a folder")
        return folder.resolve()

    @field_validator("python")
    @classmethod
    def _from_folder(cls, python: Path | None, info: ValidationInfo) -> Path | None:
        """The interpreter, made absolute. Not resolved: a link in an environment is what makes it one."""
        if python is None:
            return None
        folder = (info.context or {}).get("folder") or Path.cwd()
        return Path(os.path.abspath(folder / python))  # noqa: PTH100  - resolve() would follow the link

    @field_validator("python", "prepare")
    @classmethod
    def _check_own(cls, given: object, info: ValidationInfo) -> object:
        if given is not None and "directory" in info.data and info.data["directory"] is None:
            raise ValueError("it is for an app of your own; name its directory too")
        return given

    @field_validator("baseline")
    @classmethod
    def _check_baseline(cls, baseline: str | None, info: ValidationInfo) -> str | None:
        expect = info.data.get("expect")
        if expect == "success" and baseline is None:
            raise ValueError(
                'missing: the path of the same response built whole, or "join" where the app has none'
            )
        if expect == "failure" and baseline is not None:
            raise ValueError('expect = "failure" is never timed and has no baseline; leave baseline out')
        return baseline

    @field_validator("memory_cap")
    @classmethod
    def _check_cap(cls, cap: str | None) -> str | None:
        if cap is not None:
            read_cap(cap)
        return cap

    @model_validator(mode="after")
    def _check_kind(self) -> Target:
        """That it says in one way what serves it, and nothing that this way has no use for."""
        given = [name for name in ("app", "command", "url") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                "give one of app (module:name, for the suite's servers), command (a server of your own) "
                f"and url (one that runs already){': ' + ' and '.join(given) + ' are there' if given else ''}"
            )
        problems = [
            f"{key} is for {needs}"
            for key, needs, wrong in (
                ("python", "an app", self.python and not self.app),
                ("middleware", "an app", self.middleware != [NONE] and not self.app),
                ('baseline = "join"', "an app", self.joined and not self.app),
                ("pid", "a url", self.pid and not self.url),
                ("environment", "an app or a command", self.environment and self.url),
                ("prepare", "an app or a command", self.prepare and self.url),
            )
            if wrong
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    @property
    def served(self) -> str:
        """What is served, for messages."""
        return self.app or self.command or self.url or ""

    @property
    def joined(self) -> bool:
        """Whether the whole form is the streamed one, collected before it is sent."""
        return self.baseline is not None and self.baseline.startswith("join")

    @field_validator("form")
    @classmethod
    def _check_form(cls, form: str) -> str:
        if form == "whole":
            raise ValueError("this is what a baseline's form is called; give the stream's another name")
        return form

    @field_validator("axes")
    @classmethod
    def _check_axes(
        cls, axes: dict[str, list[str | int]], info: ValidationInfo
    ) -> dict[str, list[str | int]]:
        streamed, whole = placeholders(info.data.get("stream")), placeholders(info.data.get("baseline"))
        problems = []
        for name in sorted({*streamed, *whole} - axes.keys()):
            if name in cls.model_fields:
                remedy = "that is a key of every target; give the axis another name"
            else:
                remedy = f"the target has no such key; add one, like {name} = [1, 2]"
            problems.append(f"the path names {{{name}}}, and {remedy}")
        if "stream" in info.data:
            problems += [
                f"baseline names {{{name}}} and stream does not: no stream could be matched with it"
                for name in sorted(set(whole) - set(streamed))
            ]
        problems += [
            f"the axis {name} has the name of a setting that every case has; give it another name"
            for name in sorted(axes.keys() & {"target", *SETTINGS})
        ]
        if problems:
            raise ValueError("\n".join(problems))
        return axes
