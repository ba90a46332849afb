"""From YAML to settings: overrides, the environment, and a sentence for every mistake."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from ..errors import ConfigError, masked, nearest
from .settings import Config

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails


class _Loader(yaml.SafeLoader):
    """YAML without its surprises: days stay text, a key stands once, and nothing refers to anything else."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            parser: Any = self
            mark = parser.peek_event().start_mark
            raise yaml.MarkedYAMLError(problem="a reference to another value", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"the key {key.value!r} stands twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(path: Path, overrides: Sequence[str] = (), env: Mapping[str, str] | None = None) -> Config:
    """Read a config file and apply ``key=value`` overrides.

    Parameters
    ----------
    path
        A YAML file.
    overrides
        ``key=value`` pairs with dotted keys; a list is entered by the ``name`` of its item; values are YAML.
    env
        Where ``${NAME}`` is looked up; the process's environment by default.

    Raises
    ------
    ConfigError
        With file, line, key, value and what was expected.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); expected a config file.") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text; expected a YAML config file.") from None
    return parse(text, str(path), overrides, env, default_name=path.stem)


def parse(
    text: str,
    origin: str,
    overrides: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    default_name: str = "custid",
) -> Config:
    r"""Make a config from YAML text; ``origin`` is what errors call it.

    >>> text = "horizon: 90d\nsources: [{name: shop, table: transactions, uri: orders.csv}]"
    >>> parse(text, "shop.yaml").horizon.days
    90
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
        raw = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{origin}:{mark.line + 1}" if mark else origin
        problem = getattr(error, "problem", None) or "cannot be read"
        raise ConfigError(f"{where}: not valid YAML ({problem}).") from None
    if not isinstance(raw, dict):
        raise ConfigError(f"{origin}: expected a mapping of settings, such as 'sources: ...'.")
    lines = dict(_lines(node, ()))
    for key, value in (_split(pair) for pair in overrides):
        _apply(raw, key, value, lines)
    raw = _from_environment(raw, os.environ if env is None else env, origin, lines)
    raw.setdefault("name", re.sub(r"[^A-Za-z0-9._-]", "-", default_name).lstrip("._-") or "custid")
    raw.setdefault("workspace", f"data/{raw['name']}")
    try:
        return Config.model_validate(raw)
    except ValidationError as error:
        found = [e for e in error.errors() if e["type"] != "default_factory_not_called"]
        deeper = [e for e in found if e["type"] != "too_short" or len(found) == 1]
        raise ConfigError("\n".join(_sentence(e, origin, lines) for e in deeper)) from None


Lines = dict[tuple[str | int, ...], int | None]


def _lines(node: Any, at: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], int | None]]:
    """The line on which each key stands."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*at, key.value), key.start_mark.line + 1
            yield from _lines(value, (*at, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            yield (*at, i), value.start_mark.line + 1
            yield from _lines(value, (*at, i))


def _split(pair: str) -> tuple[list[str], Any]:
    key, sign, value = pair.partition("=")
    if not sign or not key.strip():
        raise ConfigError(f"--set {pair!r}: expected key=value, such as tuning.trials=5.")
    try:
        return key.strip().split("."), yaml.load(value, Loader=_Loader)
    except yaml.YAMLError:
        return key.strip().split("."), value


def _apply(raw: dict[str, Any], key: list[str], value: Any, lines: Lines) -> None:
    """Set one key; lists are entered by the name of their item."""
    here: Any = raw
    path: list[str | int] = []
    for i, part in enumerate(key):
        last = i == len(key) - 1
        if isinstance(here, list):
            names = [item.get("name") if isinstance(item, dict) else None for item in here]
            if part not in names:
                known = [n for n in names if n]
                raise ConfigError(
                    f"--set {'.'.join(key)}: {'.'.join(key[:i])} has no item called {part!r}; expected one of "
                    f"{', '.join(known) or 'none'}.{nearest(part, known)}"
                )
            path.append(names.index(part))
        elif isinstance(here, dict):
            path.append(part)
            if not last and not isinstance(here.get(part), dict | list):
                here[part] = {}
        else:
            raise ConfigError(f"--set {'.'.join(key)}: {'.'.join(key[:i])} is a single value and has no keys.")
        if last:
            here[path[-1]] = value
        else:
            here = here[path[-1]]
    lines[tuple(path)] = None


def _from_environment(value: Any, env: Mapping[str, str], origin: str, lines: Lines, at: tuple[Any, ...] = ()) -> Any:
    """Replace ``${NAME}`` in text by the environment's value."""
    if isinstance(value, dict):
        return {k: _from_environment(v, env, origin, lines, (*at, k)) for k, v in value.items()}
    if isinstance(value, list):
        return [_from_environment(v, env, origin, lines, (*at, i)) for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value

    def look_up(match: re.Match[str]) -> str:
        if match[1] not in env:
            raise ConfigError(
                f"{_where(origin, at, lines)}{_dotted(at)}: the environment variable {match[1]} is not set."
            )
        return env[match[1]]

    return re.sub(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", look_up, value)


def _where(origin: str, at: tuple[Any, ...], lines: Lines) -> str:
    """``file:line: `` of a key, or of the nearest key above it that stands in the file."""
    for end in range(len(at), 0, -1):
        if at[:end] in lines:
            line = lines[at[:end]]
            return "--set: " if line is None else f"{origin}:{line}: "
    return f"{origin}: "


def _dotted(at: Iterable[Any]) -> str:
    return ".".join(str(part) for part in at)


def _sentence(error: ErrorDetails, origin: str, lines: Lines) -> str:
    """One sentence for one mistake."""
    at = tuple(error["loc"])
    where, key, value = _where(origin, at, lines), _dotted(at), error["input"]
    if error["type"] == "extra_forbidden":
        known = _known_keys(at[:-1])
        return f"{where}{key}: unknown key; expected one of {', '.join(known)}.{nearest(str(at[-1]), known)}"
    if error["type"] == "missing":
        return f"{where}{key}: not set; {_about(at)}."
    expected = error["msg"].removeprefix("Value error, ")
    if error["type"] == "literal_error":
        options = re.findall(r"'([^']*)'", str(error.get("ctx", {}).get("expected", "")))
        expected = f"expected one of {', '.join(options)}"
        hint = nearest(str(value), options)
        return f"{where}{key}: {_shown(value)}; {expected}.{hint}"
    expected = expected[:1].lower() + expected[1:]
    shown = "" if isinstance(value, dict | list | BaseModel) else f"{_shown(value)}; "
    return f"{where}{key}: {shown}{expected}{'' if expected.endswith(('.', '?')) else '.'}"


def _shown(value: Any) -> str:
    """A value as a message may show it: addresses of databases may hold a password."""
    return repr(masked(value) if isinstance(value, str) else value)


def _field(at: tuple[Any, ...]) -> tuple[type[BaseModel] | None, Any]:
    """The model that lies at a place, and the field that led there."""
    model: type[BaseModel] | None = Config
    field: Any = None
    for part in at:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(str(part)) if model else None
        found = [field.annotation] if field else []
        model = None
        while found:
            kind = found.pop()
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                model = kind
            found += get_args(kind)
    return model, field


def _known_keys(at: tuple[Any, ...]) -> list[str]:
    model, _ = _field(at)
    return list(model.model_fields) if model else []


def _about(at: tuple[Any, ...]) -> str:
    _, field = _field(at)
    about = (field.description or "") if field is not None else ""
    return f"expected: {about.rstrip('.')}" if about else "expected a value"
