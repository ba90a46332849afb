"""The pages of docs/ that are written by the code itself: ``python -m custid.docs docs``.

A test compares the files with what this module renders, so they cannot fall behind.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def configuration() -> str:
    """The reference of all settings, from the settings."""
    from .config import Config

    lines = [
        "# Configuration reference",
        "",
        "A config is a YAML file. Only `sources` has no default; `horizon` is needed from the stage `features` on. Any",
        "key can be overridden with `--set key=value` (`--set sources.shop.uri=PATH` reaches into a list by name), and",
        "`${NAME}` in a value is taken from the environment, so that secrets stay out of files. This page is generated",
        "from the settings (`make docs`).",
        "",
    ]
    for title, model in _groups(Config, ""):
        lines += [f"## {title}" if title else "## The top level", "", _sentence(model.__doc__), ""]
        lines += ["| key | value | default | what it is |", "|---|---|---|---|"]
        for name, field in model.model_fields.items():
            link = f"see [{title + '.' if title else ''}{name}](#{_anchor(title, name)})"
            about = " ".join((field.description or link).split())
            made = field.is_required() or field.default_factory is not None
            default = _MADE.get(name, "needed") if made else _default(field.get_default())
            lines.append(f"| `{name}` | {_kind(field.annotation)} | {default} | {about} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def tables() -> str:
    """The canonical tables, from their definitions."""
    from .tables import FLAGS, SPECS, TRANSACTIONS

    lines = [
        "# The canonical tables",
        "",
        "A config maps a user's columns onto these. A row without a value in a **required** column is quarantined.",
        "Money and quantities are kept as integers at a scale of 1e-4, times as UTC. Every table also has `source`.",
        "This page is generated from the definitions (`make docs`).",
        "",
    ]
    for spec in SPECS.values():
        lines += [f"## {spec.name}", "", f"{spec.about[:1].upper()}{spec.about[1:]}.", ""]
        if spec.open_ended:
            lines[-2] += " Any further attribute is kept."
        lines += ["| column | holds | required | what it is |", "|---|---|---|---|"]
        columns = (*spec.columns, *(FLAGS if spec is TRANSACTIONS else ()))
        lines += [f"| `{c.name}` | {c.kind} | {'yes' if c.required else ''} | {c.about} |" for c in columns]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def commands() -> str:
    """Every command with its options, as ``--help`` says it."""
    import typer.main

    from .cli import app

    group: Any = typer.main.get_command(app)
    lines = [
        "# Commands",
        "",
        "Generated from the commands themselves (`make docs`); `custid COMMAND --help` says the same.",
        "",
    ]
    for name, command in group.commands.items():
        lines += [f"## custid {name}", "", command.help or (command.callback.__doc__ or "").strip(), ""]
        lines += ["| argument | what it is |", "|---|---|"]
        for parameter in command.params:
            words = (
                " ".join(parameter.opts)
                if parameter.param_type_name == "option"
                else (parameter.metavar or parameter.name)
            )
            lines.append(f"| `{words}` | {getattr(parameter, 'help', '') or ''} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def features() -> str:
    """Every feature, from the families."""
    from .features.docs import render

    return render()


_MADE = {"workspace": "`data/<name>`", "tasks": "all that the sources allow"}  # what is filled in where it is not set

PAGES: dict[str, Callable[[], str]] = {
    "configuration.md": configuration,
    "tables.md": tables,
    "commands.md": commands,
    "features.md": features,
}


def _groups(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """A group of settings and, after it, the groups within it."""
    yield prefix, model
    for name, field in model.model_fields.items():
        inner = _inner(field.annotation)
        if inner is not None:
            yield from _groups(inner, f"{prefix}.{name}" if prefix else name)


def _inner(kind: Any) -> type[BaseModel] | None:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    return next((found for arg in get_args(kind) if (found := _inner(arg)) is not None), None)


def _anchor(title: str, name: str) -> str:
    return f"{title}{name}".replace(".", "").lower()


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split())


def _kind(kind: Any) -> str:
    """A type in words."""
    from .config.settings import Duration

    if kind == Duration:
        return "time (`10m`)"
    names = {str: "text", int: "whole number", float: "number", bool: "yes or no", Path: "path", type(None): ""}
    if kind in names:
        return names[kind]
    if get_origin(kind) is Literal:
        return " or ".join(f"`{v}`" for v in get_args(kind))
    if get_origin(kind) is dict:
        return "mapping"
    if get_origin(kind) in {list, tuple}:
        return "list of " + _kind(next(a for a in get_args(kind) if a is not Ellipsis))
    if get_args(kind):
        inner = [_kind(a) for a in get_args(kind) if isinstance(a, type) or get_args(a)]
        return " or ".join(dict.fromkeys(i for i in inner if i))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "settings"
    name = str(kind.__name__)
    return {"timedelta": "days (`180d`)", "date": "day (`2011-06-10`)"}.get(name, name)


def _default(value: Any) -> str:
    from datetime import timedelta

    if value is None:
        return "none"
    if isinstance(value, timedelta):
        return f"`{value.days}d`"
    if isinstance(value, BaseModel) or (isinstance(value, tuple) and value and isinstance(value[0], BaseModel)):
        return "below"
    if isinstance(value, tuple | list):
        return f"`[{', '.join(map(str, value))}]`"
    return "`" + (str(value) or " ").replace("|", "\\|") + "`"


def main() -> None:
    """Write every generated page into the folder that the command names."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    folder.mkdir(parents=True, exist_ok=True)
    for name, render in PAGES.items():
        (folder / name).write_text(render(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
