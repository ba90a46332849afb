"""What was run: release, day, horizon, code, and where to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .words import TASKS

if TYPE_CHECKING:
    from .inputs import Inputs


def facts(inputs: Inputs) -> tuple[tuple[str, str], ...]:
    """Names and values for the table at the end of the page; what is unknown is left out."""
    release = inputs.release
    config = inputs.config
    rows = [
        ("Config", config.name),
        ("As of", f"{inputs.as_of.isoformat()}: nothing at or after this day was used"),
        ("Horizon", f"{inputs.days} days from then on"),
        ("Tasks", ", ".join(f"{TASKS.get(task, task).lower()} ({task})" for task in config.tasks)),
        ("Release", _text(release.get("release"))),
        ("Learnt on", _learnt(inputs)),
        ("Models", ", ".join(f"{m['model']} version {m['version']}" for m in release.get("models", {}).values())),
        ("Code", f"custid {release['code']}" if release.get("code") else ""),
        ("Data fingerprint", _text(release.get("data"))),
        ("Seed", str(config.seed)),
        ("Experiments (MLflow)", inputs.tracking),
    ]
    return tuple((name, text) for name, text in rows if text)


def commands(inputs: Inputs) -> tuple[tuple[str, str], ...]:
    """What to type to go on, and what it does; CONFIG is the file that the run was started with."""
    made = [("custid serve CONFIG", "answers questions about single customers over HTTP")]
    if inputs.tracking:
        made.append((f"mlflow ui --backend-store-uri {inputs.tracking}", "shows every model that was tried"))
    made.append(("custid run CONFIG", "brings everything up to date"))
    return tuple(made)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _learnt(inputs: Inputs) -> str:
    day = inputs.release.get("as_of")
    return f"what was known before {day}" if day else ""
