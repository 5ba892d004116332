"""The words that a shell completes, found without importing what runs them: it waits for each.

A verb's options are read from its module's source, those that it shares from that of `harness.cli.session`.
What stands for a value is completed by its name: a suite, a run, the words of ``--only``.
"""

from __future__ import annotations

import ast
import importlib
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from harness.cli.places import stored_runs
from harness.conformance.chosen import server_words
from results.conformance.questions import Check
from results.metrics import FIGURES
from scenarios.built_in import built_in_suites, built_in_text
from targets.servers import KINDS
from targets.servers.gunicorn import DEFAULTS as WORKER_CLASSES

#: What `export` and `report` write and an ab fails on; a test holds them to what takes too long to import.
FORMATS = ("csv", "json", "markdown", "junit", "bencher", "openmetrics", "github-benchmark")
REPORT_FORMATS = ("html", "markdown")
FAIL_ON = ("gates", "worse")

_Given = dict[str | None, Any]
Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem[str]]]


def declared(verb: str, help_line: str) -> click.Command:
    """A command with the verb's words, which cannot be run."""
    parameters = _read(verb) or list(map(_light, _imported(verb).params))
    return click.Command(verb, params=parameters, help=help_line)


def _imported(verb: str) -> click.Command:
    command = importlib.import_module(f"harness.cli.{verb}").command
    assert isinstance(command, click.Command)  # noqa: S101
    return command


def _read(verb: str) -> list[click.Parameter] | None:
    """The parameters that the verb's source declares; None where it does so in a way not known here."""
    (function,) = (
        node for node in _source(verb) if isinstance(node, ast.FunctionDef) and node.name == "command"
    )
    parameters: list[click.Parameter] = []
    for decorator in function.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="click"), attr="command")):
                pass
            case ast.Attribute(value=ast.Name(id="click"), attr="pass_context"):
                pass
            case ast.Name(id="shared_options"):
                parameters += map(_declared, _shared_options())
            case ast.Call(func=ast.Attribute(value=ast.Name(id="click"), attr="option" | "argument")):
                parameters.append(_declared(decorator))
            case _:
                return None
    return parameters


def _shared_options() -> Iterator[ast.Call]:
    """The calls of ``click.option`` that `harness.cli.session` gives to all who measure."""
    for node in _source("session"):
        match node:
            case ast.Assign(targets=[ast.Name(id="_SHARED")], value=ast.Tuple(elts=calls)):
                yield from (call for call in calls if isinstance(call, ast.Call))


def _source(module: str) -> list[ast.stmt]:
    return ast.parse(Path(__file__).with_name(f"{module}.py").read_text("utf-8")).body


def _declared(call: ast.Call) -> click.Parameter:
    """What a call of ``click.option`` or ``click.argument`` declares."""
    kind = "argument" if isinstance(call.func, ast.Attribute) and call.func.attr == "argument" else "option"
    given = {word.arg: _constant(word.value) for word in call.keywords}
    return _parameter(kind, [str(_constant(name)) for name in call.args], given)


def _constant(node: ast.expr) -> Any:
    """A literal's value; None for what would have to be worked out, like a list of choices."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _light(parameter: click.Parameter) -> click.Parameter:
    kind = "option" if isinstance(parameter, click.Option) else "argument"
    given: _Given = {
        name: getattr(parameter, name, None) for name in ("is_flag", "multiple", "help", "nargs")
    }
    names = [*parameter.opts, *([parameter.name] if kind == "option" and parameter.name else [])]
    return _parameter(kind, names, given)


def _parameter(kind: str, names: list[str], given: _Given) -> click.Parameter:
    completer = _COMPLETERS.get(names[0], _files)
    if kind == "argument":
        return click.Argument(names, required=False, shell_complete=completer, nargs=given.get("nargs") or 1)
    if given.get("is_flag"):
        return click.Option(names, is_flag=True, help=given.get("help"))
    return click.Option(
        names, multiple=bool(given.get("multiple")), help=given.get("help"), shell_complete=completer
    )


def _suites(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    """Built-in names and TOML files."""
    return _beginning(begun, [*built_in_suites(), *_toml_files(begun)])


def _toml_files(begun: str) -> Iterator[str]:
    folder = begun.rpartition("/")[0]
    for path in sorted(Path(folder or ".").glob("*.toml")):
        yield f"{folder}/{path.name}" if folder else path.name


def _runs(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    """Stored runs, the latest first."""
    return _beginning(begun, ["latest", *(path.stem for path in reversed(stored_runs()))])


def _figures(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    return _beginning(begun, list(FIGURES))


def _formats(ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    return _beginning(begun, REPORT_FORMATS if ctx.info_name == "report" else FORMATS)


def _one_of(*words: str) -> Completer:
    return lambda _ctx, _param, begun: _beginning(begun, words)


def _nothing(_ctx: click.Context, _param: click.Parameter, _begun: str) -> list[CompletionItem[str]]:
    return []


def _folders(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    return [CompletionItem(begun, type="dir")]


def _files(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    return [CompletionItem(begun, type="file")]


def _only(ctx: click.Context, param: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    return _beginning(begun, list(Check)) if ctx.info_name == "conform" else _case_words(ctx, param, begun)


def _case_words(ctx: click.Context, _param: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    """The values by which ``--only`` names cases of the verb's suite; none where it cannot be read."""
    # click stops at an option whose value is still to come, and has then not understood what stands before
    name = ctx.params.get("suite") or next(iter(ctx.args), "quick")
    try:
        text = built_in_text(name) if name in built_in_suites() else Path(name).read_text("utf-8")
        suite = tomllib.loads(text)
    except (OSError, ValueError):
        return []
    return [CompletionItem(word) for word in case_words(suite) if word.startswith(begun)]


def case_words(suite: dict[str, Any]) -> list[str]:
    """The words of a suite's TOML that name cases: each axis' values, servers, loads and forms."""
    found = ["form=whole"]
    for target in _tables(suite, "target"):
        axes = {key: value for key, value in target.items() if f"{{{key}}}" in str(target.get("stream"))}
        named = {"target": target.get("name"), "form": target.get("form", "stream")}
        found += [*_pairs(named), *_pairs(axes)]
    for server in _tables(suite, "server"):
        found += _pairs({"server" if key == "kind" else key: value for key, value in server.items()})
    for scenario in _tables(suite, "scenario"):
        known = ("kind", "users", "rate", "spacing", "others", "after")
        chosen = {key: scenario[key] for key in known if key in scenario}
        found += _pairs({"scenario" if key == "kind" else key: value for key, value in chosen.items()})
    return list(dict.fromkeys(found))


def _tables(suite: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The suite's tables of this name; of one that is still being written, those that are there."""
    given = suite.get(name)
    return [table for table in given if isinstance(table, dict)] if isinstance(given, list) else []


def _pairs(table: dict[str, Any]) -> Iterator[str]:
    for key, values in table.items():
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, (str, int, float)):
                yield f"{key}={str(value).lower() if isinstance(value, bool) else value}"


def _beginning(begun: str, words: Sequence[str]) -> list[CompletionItem[str]]:
    """The words that begin so; where none does, the shell's own files."""
    found = [CompletionItem(word) for word in words if word.startswith(begun)]
    return found or [CompletionItem(begun, type="file")]


#: By the name of an argument or option, whatever the verb.
_COMPLETERS: dict[str, Completer] = {
    "suite": _suites,
    "run": _runs,
    "base": _runs,
    "head": _runs,
    "folder": _folders,
    "servers": _one_of(*server_words()),
    "shell": _one_of("bash", "zsh", "fish"),
    "--resume": _runs,
    "--directory": _folders,
    "--server": _one_of(*KINDS, *(f"gunicorn/{name}" for name in WORKER_CLASSES)),
    "--app": _nothing,
    "--command": _nothing,
    "--url": _nothing,
    "--pid": _nothing,
    "--prepare": _nothing,
    "--stream": _nothing,
    "--baseline": _one_of("join"),
    "--axis": _nothing,
    "--ready": _nothing,
    "--method": _nothing,
    "--body": _nothing,
    "--header": _nothing,
    "--environment": _nothing,
    "--name": _nothing,
    "--only": _only,
    "--figure": _figures,
    "--format": _formats,
    "--until": _one_of("decided"),
    "--fail-on": _one_of(*FAIL_ON),
    "--base": _nothing,
    "--head": _nothing,
    "--budget": _nothing,
    "--blocks": _nothing,
    "--seed": _nothing,
    "--users": _nothing,
    "--web-port": _nothing,
}
