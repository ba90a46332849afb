"""One sitting: a task as it would have been learnt on an origin, judged by what came, and kept.

    backtest/as_of=<origin>/<task>/<key>/exam.parquet   what was said of each customer, and what came
    backtest/as_of=<origin>/<task>/<key>/result.json    metrics, curves, what was chosen, notes

The key names all that it was made from. ``result.json`` is written last: what is there is whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..training.archive import Archive
from ..training.baselines import Baseline
from ..training.evaluate import Exam
from ..training.fit import fit_task
from ..training.lineage import Lineage, data_fingerprint
from ..training.task import task_of
from ..workspace import discard, fingerprint, read_json, silent, write_json, write_parquet

if TYPE_CHECKING:
    from datetime import date

    from ..config import Config
    from ..training.history import History
    from ..training.task import Task
    from ..workspace import Note, Workspace

_BACKGROUND = 10  # customers behind the figure of drivers, which no backtest shows
_RESULT, _EXAM = "result.json", "exam.parquet"


@dataclass(frozen=True, eq=False)
class Sitting:
    """What came of one task at one origin.

    Attributes
    ----------
    task, origin
        What was predicted, and from which day.
    result
        ``model``, ``baselines``, ``n``, ``horizon_days``, ``learnt_days``, ``curves``, ``chosen``, ``notes``, and what
        else the task's block of ``metrics.json`` has.
    exam
        What was said of each customer; None for tasks that are not judged customer by customer.
    """

    task: str
    origin: date
    result: dict[str, Any]
    exam: Exam | None


def sit(config: Config, ws: Workspace, origin: date, note: Note = silent) -> tuple[list[Sitting], dict[str, str]]:
    """All tasks at one origin: found again where they were finished, learnt otherwise.

    Parameters
    ----------
    config
        The run's settings; the search has ``backtest.trials``.
    ws
        Holds the tables and the identities.
    origin
        The day; its longest horizon has ended.
    note
        Who is told of progress.

    Returns
    -------
    tuple
        What was finished, and for each task that could not be learnt on this day, why.
    """
    then = as_then(config, origin)
    try:
        archive = Archive(then, ws, origin, note)
    except InputError as error:
        return [], {name: str(error) for name in config.tasks}
    place = ws.origins / f"as_of={origin.isoformat()}"
    done: list[Sitting] = []
    left_out: dict[str, str] = {}
    for name in config.tasks:
        try:
            done.append(_sit(name, archive, place, note))
        except InputError as error:
            left_out[name] = str(error)
    discard(_searches(archive, place))
    return done, left_out


def _sit(name: str, archive: Archive, place: Path, note: Note) -> Sitting:
    """One task; what was made of it from anything else is forgotten."""
    history = rehearsed(archive, task_of(name))
    key = fingerprint(Lineage(archive).key(name), _outcome(history), Path(__file__).read_text(encoding="utf-8"))
    folder = place / name / key
    if not (folder / _RESULT).exists():
        place.mkdir(parents=True, exist_ok=True)
        _learn(name, history, archive.config, folder, _searches(archive, place), note)
    for other in (place / name).iterdir():
        if other != folder:
            discard(other)
    return _read(name, archive.latest.day, folder)


def _searches(archive: Archive, place: Path) -> Path:
    """Where an origin's searches are kept until all its tasks are finished; apart for each number of trials."""
    return place / f"searches-{archive.config.tuning.trials}.db"


def as_then(config: Config, origin: date) -> Config:
    """The settings under which a run of that day learns: its wall, and fewer trials."""
    tuning = config.tuning.model_copy(update={"trials": config.backtest.trials, "storage": None})
    explain = config.explain.model_copy(update={"background": _BACKGROUND})
    return config.model_copy(update={"as_of": origin, "tuning": tuning, "explain": explain})


def rehearsed(archive: Archive, task: Task) -> History:
    """A task's history on the archive's day, as training rehearses: the day's own outcome is there to judge by.

    What is learnt from is what training on that day would learn from. A task that does not look back by snapshots (see
    ``Task.looks_back``) is judged as training judges it, on what it holds out of that. Raises InputError where the
    history is too short, or the question concerns nobody.
    """
    history = archive.of(task)
    if task.looks_back is not None:
        return history
    held = archive.labelled(history.latest, history.horizon)
    asked = ~np.isnan(task.label(held.outcome, archive.config))
    if not asked.any():
        raise InputError(f"{held.day}: {task.name} concerns none of the {asked.size} customers of that day.")
    return replace(history, rehearsal=replace(history, latest=held.take(asked), rehearsal=None))


def _outcome(history: History) -> str:
    """The digest of what it is judged by."""
    back = history.rehearsal
    return "" if back is None else data_fingerprint(replace(back, snapshots=()))


def _learn(name: str, history: History, config: Config, folder: Path, searches: Path, note: Note) -> None:
    storage = f"sqlite:///{searches.resolve().as_posix()}"
    fitted = fit_task(name, history, config, storage=storage, note=note)
    exam = fitted.exam
    result = {
        "model": fitted.metrics,
        "baselines": fitted.baselines,
        "n": fitted.n,
        "horizon_days": history.horizon.days,
        "learnt_days": history.learnt_horizon.days,
        "curves": fitted.curves,
        "chosen": fitted.chosen,
        "notes": list(fitted.notes),
        **fitted.more,
        "exact": {} if exam is None else {other: baseline.exact for other, baseline in exam.baselines.items()},
    }
    if exam is not None:
        _write(exam, folder / _EXAM)
    write_json(folder / _RESULT, result)


def _write(exam: Exam, path: Path) -> None:
    import pyarrow as pa

    ours = {"truth": exam.truth, "score": exam.score} | ({} if exam.inside is None else {"inside": exam.inside})
    theirs = {f"baseline.{name}": baseline.score for name, baseline in exam.baselines.items()}
    write_parquet(path, pa.table({"customer_id": exam.ids.tolist(), **ours, **theirs}))


def _read(task: str, origin: date, folder: Path) -> Sitting:
    import pyarrow.parquet as pq

    result = read_json(folder / _RESULT)
    exact = result.pop("exact")
    if not (folder / _EXAM).exists():
        return Sitting(task, origin, result, None)
    table = pq.read_table(folder / _EXAM)
    column = {name: table[name].to_numpy().astype(np.float64) for name in table.column_names if name != "customer_id"}
    baselines = {name: Baseline(column[f"baseline.{name}"], exact[name]) for name in exact}
    ids = np.array(table["customer_id"].to_pylist(), dtype=str)
    exam = Exam(ids, column["truth"], column["score"], column.get("inside"), baselines)
    return Sitting(task, origin, result, exam)
