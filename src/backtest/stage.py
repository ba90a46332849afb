"""The whole backtest: origins, sittings, figures, files, runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..registry import Store
from ..training.labelled.observed import answerable
from ..training.lineage import currency
from ..training.task import task_of
from ..training.track import TaskRun, code_version
from ..workspace import digest, discard, fingerprint, read_json, silent, write_json, write_text
from .logged import log
from .origins import first_day, origins
from .page import page
from .pooled import as_told, compare, over
from .sitting import sit
from .verdict import verdict

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from ..config import Config
    from ..workspace import Note, Workspace
    from .sitting import Sitting

_APART = ("workspace", "threads", "memory", "serving", "mlflow", "tiers", "lifecycle", "actions")
_CODE = {".py", ".html", ".css"}
_ROOT = Path(__file__).resolve().parents[1]
MADE = (
    "95 % intervals by a bootstrap over customers: each resample draws as many customers as there are, with "
    "replacement, and counts a customer at every origin as often as it was drawn; the model and the baselines share "
    "the resamples, so differences are paired. Pooled figures are means over the origins, which are not drawn. "
    "A difference is model - baseline; that of bias is the difference of the distances from 1."
)


@dataclass(frozen=True)
class Backtested:
    """What ``backtest.json`` says, and whether it had to be made."""

    result: dict[str, Any]
    made: bool


def backtest(config: Config, ws: Workspace, as_of: date, note: Note = silent) -> Backtested:
    """Learn and judge every task at every origin; write ``backtest.json``, ``backtest.html`` and runs in MLflow.

    Parameters
    ----------
    config
        The settings: ``backtest``, and all that training depends on.
    ws
        Holds the tables and identities as they were known before ``as_of``.
    as_of
        The midnight by which every outcome has to lie in the past.
    note
        Who is told of progress.

    Raises
    ------
    InputError
        Where the history is too short, or has too few customers, to look back at.
    """
    with ws.lock():
        config = answerable(config, ws)
        horizon = max(task_of(name).horizon(config) for name in config.tasks)
        days = origins(first_day(ws), as_of, horizon, config)
        key = _key(config, ws, days)
        known = read_json(ws.backtest, {})
        if known.get("key") == key and ws.backtest_page.exists():
            return Backtested(known, made=False)
        note("opening the tracking store")
        store = Store(config, ws)
        store.end_killed()
        about = {"key": key, "name": config.name, "as_of": as_of.isoformat(), "seed": config.seed}
        tags = {"as_of": as_of, "horizon": f"{horizon.days}d", "seed": config.seed, "code": code_version()}
        with TaskRun(store, "backtest", {**tags, "key": key}, search=False) as run:
            sittings, left_out = _sit(config, ws, days, note)
            note("measuring")
            about |= {"currency": currency(config, ws), "coverage": config.clv.coverage, "how": MADE}
            about |= {"origins": [day.isoformat() for day in days], "left_out": left_out}
            result = about | {"tasks": {name: _told(found, config) for name, found in sittings.items()}}
            write_text(ws.backtest_page, page(result))
            write_json(ws.backtest, result)
            log(run, config, result, (ws.backtest, ws.backtest_page))
        _prune(ws, days)
        return Backtested(result, made=True)


def _sit(
    config: Config, ws: Workspace, days: Sequence[date], note: Note
) -> tuple[dict[str, list[Sitting]], list[dict[str, str]]]:
    """Every task's sittings, oldest first, and what could not be learnt.

    Raises InputError where nothing could.
    """
    by_task: dict[str, list[Sitting]] = {}
    left_out: list[dict[str, str]] = []
    for number, day in enumerate(days, 1):
        told = f"{day} ({number} of {len(days)})"
        done, failed = sit(config, ws, day, partial(_say, note, told))
        for sitting in done:
            by_task.setdefault(sitting.task, []).append(sitting)
        left_out += [{"origin": day.isoformat(), "task": task, "why": why} for task, why in failed.items()]
    if not by_task:
        raise InputError(f"backtest: nothing could be learnt at any of {len(days)} origins. {left_out[-1]['why']}")
    return by_task, left_out


def _say(note: Note, told: str, text: str) -> None:
    note(f"{told}: {text}")


def _told(sittings: Sequence[Sitting], config: Config) -> dict[str, Any]:
    """What ``backtest.json`` says of a task."""
    task = task_of(sittings[0].task)
    by_origin, pooled = as_told({sitting.origin.isoformat(): sitting.result for sitting in sittings})
    exams = {sitting.origin.isoformat(): sitting.exam for sitting in sittings if sitting.exam is not None}
    if len(exams) == len(sittings):
        compared, together = compare(task, exams, config.training.resamples, config.seed)
        by_origin = {day: over(block, compared[day]) for day, block in by_origin.items()}
        pooled = over(pooled, together)
    headline = next(iter(task.metrics or pooled["model"]), None)
    return {
        "question": task.question,
        "headline": headline,
        "link": task.link,
        "verdict": verdict(pooled, headline),
        "pooled": pooled,
        "origins": {day: {**sittings[i].result, **block} for i, (day, block) in enumerate(by_origin.items())},
    }


def _key(config: Config, ws: Workspace, days: Sequence[date]) -> str:
    """All that a backtest is made from: days, settings, tables, who is who, code."""
    settings = config.model_dump(mode="json", exclude=set(_APART))
    tables = [(name, digest(ws.table(name))) for name in ws.tables()]
    code = [(p.relative_to(_ROOT).as_posix(), digest(p)) for p in sorted(_ROOT.rglob("*")) if p.suffix in _CODE]
    return fingerprint(list(days), settings, tables, digest(ws.identity), code)


def _prune(ws: Workspace, days: Sequence[date]) -> None:
    """Forget the origins that this backtest has not looked at."""
    for folder in ws.origins.glob("as_of=*"):
        if folder.name not in {f"as_of={day.isoformat()}" for day in days}:
            discard(folder)
