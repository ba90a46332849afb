"""The search: which kinds of members, and with which parameters, add most to the formula.

Trials run one after the other. The sampler is seeded from the seed and the number of finished trials, and a trial that
a kill has left running is failed first, so a search that was killed and resumed ends as one that was not.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..workspace import fingerprint, silent
from .learners import MOST_TREES, affine, fit_member, loss, stack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ..config import Config
    from ..workspace import Note
    from .folds import Part, Pool
    from .task import Learner, Task

    FloatArray = NDArray[np.float64]

SPACE = 4
"""Raise it when the space or the objective of the search changes, so that old searches are not continued."""

STARTS: Mapping[str, Mapping[str, Any]] = {
    "trees": {"depth": 3, "rounds": 120, "rate": 0.06, "child_weight": 60.0, "shrink": 20.0, "columns": 0.5},
    "corrected formula": {"depth": 3, "rounds": 80, "rate": 0.05, "child_weight": 60.0, "shrink": 20.0, "columns": 0.5},
    "linear": {"freedom": 0.01},
    "two-part": {"depth": 3, "rounds": 100, "rate": 0.05, "child_weight": 60.0, "shrink": 20.0, "columns": 0.5},
}
"""What is tried first: strong regularisation, which did well on every table that was looked at."""


class Tracker(Protocol):
    """Who is told of each finished trial, once per search."""

    def trial(self, number: int, params: Mapping[str, Any], metrics: Mapping[str, Any], state: str) -> None:
        """A trial with its parameters, what it reached in all and per fold, and COMPLETE, PRUNED or FAIL."""


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes
    ----------
    best
        For each kind of member, its best parameters and loss; the best kind first.
    trials
        How many were finished.
    """

    best: tuple[tuple[Learner, Mapping[str, Any], float], ...]
    trials: int


def search(pool: Pool, config: Config, *, data: str, storage: str, tracker: Tracker, note: Note = silent) -> Found:
    """Run the trials that are still to run, and give the best of each kind.

    Parameters
    ----------
    pool
        What is learnt from.
    config
        ``tuning`` and ``seed``.
    data
        A fingerprint of the data; with the task and the space it names the search, so that it continues itself only.
    storage
        An SQLAlchemy address.
    tracker, note
        Who is told.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    name = f"{config.name}.{pool.task.name}.{fingerprint(SPACE, data, pool.task.learners, config.seed)}"
    study = optuna.create_study(study_name=name, storage=storage, direction="minimize", load_if_exists=True)
    _fail_running(study)
    objective = _Objective(pool, config)
    done = _replay(study, tracker)
    budget = config.tuning.time_budget
    clock = _Clock(budget.total_seconds() if budget else None)
    while done < config.tuning.trials and not clock.over:
        note(f"{pool.task.name}: trial {done + 1} of {config.tuning.trials}")
        _start(study, pool.task, done)
        study.sampler = optuna.samplers.TPESampler(seed=_seed(config.seed, done), n_startup_trials=8)
        study.pruner = optuna.pruners.MedianPruner(n_startup_trials=6)
        study.optimize(objective, n_trials=1, catch=())
        tracker.trial(**_told(_finished(study)[-1], done))
        done += 1
    return Found(_best(study, pool.task), done)


def propose(trial: Any, learners: tuple[Learner, ...]) -> tuple[Learner, dict[str, Any]]:
    """Draw a kind of member and its parameters. The size is bounded, so that a score with reasons stays cheap."""
    learner: Learner = trial.suggest_categorical("learner", learners)
    if learner == "linear":
        return learner, {"freedom": trial.suggest_float("freedom", 1e-4, 1.0, log=True)}
    return learner, {
        "depth": trial.suggest_int("depth", 2, 4),
        "rounds": trial.suggest_int("rounds", 40, MOST_TREES, log=True),
        "rate": trial.suggest_float("rate", 0.02, 0.15, log=True),
        "child_weight": trial.suggest_float("child_weight", 10.0, 200.0, log=True),
        "shrink": trial.suggest_float("shrink", 1.0, 100.0, log=True),
        "columns": trial.suggest_float("columns", 0.25, 1.0),
    }


class _Objective:
    """The loss of a trial's member, blended half and half with the formula, on later days and other customers."""

    def __init__(self, pool: Pool, config: Config) -> None:
        self.pool, self.seed = pool, config.seed
        self.workers = min(2, config.threads or 2)

    def __call__(self, trial: Any) -> float:
        import optuna

        learner, params = propose(trial, self.pool.task.learners)
        parts = self.pool.parts
        losses = [self._loss(learner, params, parts[0])]
        trial.report(losses[0], 0)
        if trial.should_prune():
            trial.set_user_attr("folds", losses)
            raise optuna.TrialPruned
        with ThreadPoolExecutor(self.workers) as pool:
            losses += list(pool.map(lambda part: self._loss(learner, params, part), parts[1:]))
        trial.set_user_attr("folds", losses)
        return float(np.mean(losses))

    def _loss(self, learner: Learner, params: Mapping[str, Any], part: Part) -> float:
        member = fit_member(self.pool.task, learner, params, part.lesson, self.seed)
        return blended_loss(self.pool, member.margin(part.rows), part)


def blended_loss(pool: Pool, margin: FloatArray, part: Part) -> float:
    """Mean loss of a margin with as much of the formula, each snapshot's level and the slope set right.

    What is compared is how customers are told apart; the level of a season is another matter.
    """
    truth, day = pool.truth[part.tried] / pool.unit, pool.day[part.tried] - pool.first_tried
    formula = part.rows.formula.get(pool.task.aspect)
    if formula is not None:
        slope, _ = affine(formula - np.log(pool.unit), truth, _link(pool))
        margin = (margin + slope * formula) / 2
    margin = margin - np.log(pool.unit)
    weights, offsets = stack(margin[:, None], truth, day, np.ones(1), 5.0, _link(pool))
    return float(loss(margin * weights[0] + offsets[day], truth, _link(pool)).mean())


def _link(pool: Pool) -> Any:
    return pool.task.link


def _seed(seed: int, done: int) -> int:
    return int(np.random.SeedSequence([seed, done]).generate_state(1)[0])


def _finished(study: Any) -> list[Any]:
    from optuna.trial import TrialState

    trials: list[Any] = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return trials


def _fail_running(study: Any) -> None:
    from optuna.trial import TrialState

    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)


def _start(study: Any, task: Task, done: int) -> None:
    """The first trials are the starts, one per kind; one that a kill has left in the queue is not put in again."""
    from optuna.trial import TrialState

    if done < len(task.learners) and not study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        learner = task.learners[done]
        study.enqueue_trial({"learner": learner, **STARTS[learner]})


def _told(trial: Any, number: int) -> dict[str, Any]:
    folds = trial.user_attrs.get("folds", [])
    metrics = {f"loss_fold_{i}": value for i, value in enumerate(folds)}
    if trial.state.name == "COMPLETE":
        metrics["loss"] = trial.value
    return {"number": number, "params": dict(trial.params), "metrics": metrics, "state": trial.state.name}


def _replay(study: Any, tracker: Tracker) -> int:
    finished = _finished(study)
    for number, trial in enumerate(finished):
        tracker.trial(**_told(trial, number))
    return len(finished)


def _best(study: Any, task: Task) -> tuple[tuple[Learner, Mapping[str, Any], float], ...]:
    from optuna.trial import TrialState

    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    best: dict[Learner, tuple[Learner, Mapping[str, Any], float]] = {}
    for trial in sorted(complete, key=lambda t: (t.value, t.number)):
        params = {name: value for name, value in trial.params.items() if name != "learner"}
        best.setdefault(trial.params["learner"], (trial.params["learner"], params, float(trial.value)))
    return tuple(best[learner] for learner in best if learner in task.learners)


class _Clock:
    """Whether a time budget is used up; without one it never is."""

    def __init__(self, seconds: float | None) -> None:
        import time

        self._now, self._seconds, self._start = time.monotonic, seconds, time.monotonic()

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return self._seconds is not None and self._now() - self._start > self._seconds
