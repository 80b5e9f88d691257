"""What the commands are called and do, read from their files without loading them: a menu needs no database, no keys and
no record, and to load what the commands need takes seconds."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import typer


class Named(NamedTuple):
    """A command, or a group of them."""

    name: str
    help: str
    group: bool


def show(app: typer.Typer, files: Iterator[Path]) -> None:
    """Registers the names and the help texts alone: for a menu, or to say that there is no such command."""
    for file in files:
        for one in named(ast.parse(file.read_text("utf-8"))):
            if one.group:
                app.add_typer(typer.Typer(help=one.help), name=one.name)
            else:
                app.command(one.name, help=one.help)(_nothing)


def _nothing() -> None:
    """Never called: a command that is asked for is loaded."""


def named(file: ast.Module) -> Iterator[Named]:
    """`@app.command(…)` with its docstring, and `app.add_typer(x, name=…)` with the help of `x = typer.Typer(help=…)`."""
    groups: dict[str, str] = {}
    for one in file.body:
        match one:
            case ast.FunctionDef():
                for call in filter(None, map(_app_command, one.decorator_list)):
                    given = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
                    yield Named(str(given[0]) if given else one.name, ast.get_docstring(one) or "", group=False)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(keywords=keywords)):
                groups[name] = inspect.cleandoc(_text(keywords, "help"))
            case ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(value=ast.Name(id="app"), attr="add_typer"),
                    args=[ast.Name(id=name)],
                    keywords=keywords,
                )
            ):
                yield Named(_text(keywords, "name"), groups[name], group=True)


def _app_command(decorator: ast.expr) -> ast.Call | None:
    match decorator:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="app"), attr="command")):
            return decorator
    return None


def _text(keywords: list[ast.keyword], name: str) -> str:
    """A literal; '' for what is not given, or is no literal."""
    for one in keywords:
        if one.arg == name and isinstance(one.value, ast.Constant):
            return str(one.value.value)
    return ""
