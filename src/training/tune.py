"""The search: which kinds of members, and with which parameters, add most to the formula.

What costs nothing is tried first: the formula, past spend and the average alone, as marks to beat. Then come the
members of the last champion and one of each kind, then what the sampler draws; a trial that does badly on the first
third of the customers is given up. Trials run one after the other. The sampler is seeded from the seed and the number
of finished trials, and a trial that a kill has left running is failed first, so a search that was killed and resumed
ends as one that was not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..workspace import fingerprint, silent
from .learners import MOST_LEAVES, MOST_TREES, affine, fit_member, loss, past_spend, stack
from .workers import workers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ..config import Config
    from ..models.predictor.members import Member
    from ..workspace import Note
    from .folds import Part, Pool
    from .task import Learner, Task

    FloatArray = NDArray[np.float64]

SPACE = 5
"""Raise it when the space or the objective of the search changes, so that old searches are not continued."""

STARTS: Mapping[str, Mapping[str, Any]] = {
    "trees": {"depth": 3, "rounds": 120, "rate": 0.06, "child_weight": 60.0, "shrink": 20.0, "columns": 0.5},
    "corrected formula": {"depth": 3, "rounds": 80, "rate": 0.05, "child_weight": 60.0, "shrink": 20.0, "columns": 0.5},
    "linear": {"freedom": 0.01},
    "two-part": {"depth": 3, "rounds": 100, "rate": 0.05, "child_weight": 60.0, "shrink": 20.0, "columns": 0.5},
}
"""What is tried first: strong regularisation, which did well on every table that was looked at."""


_LITTLE = 0.01  # of what a search has gained


class Tracker(Protocol):
    """Who is told of each finished trial, once per search."""

    def trial(self, number: int, params: Mapping[str, Any], metrics: Mapping[str, Any], state: str) -> None:
        """A trial with its parameters, what it reached in all and per fold, and COMPLETE, PRUNED or FAIL."""


Choice = tuple["Learner", Mapping[str, Any], float]
"""A kind of member, its parameters, and the loss that they reached."""


@dataclass(frozen=True)
class Found:
    """What a search has found.

    Attributes
    ----------
    best
        For each kind of member, its best parameters and loss; the best kind first.
    losses
        Of each finished trial, in order; infinite where it was given up.
    marks
        The losses of what needs no search, by name.
    """

    best: tuple[Choice, ...]
    losses: tuple[float, ...] = ()
    marks: Mapping[str, float] = field(default_factory=dict)

    @property
    def trials(self) -> int:
        """How many trials were finished."""
        return len(self.losses)

    @property
    def paid_until(self) -> int:
        """The trial, from 1, after which more search gained less than a hundredth of what all of it had; 0 for none.

        >>> Found((), (9.0, 5.0, 4.99, 4.98)).paid_until
        2
        """
        reached = np.minimum.accumulate(self.losses) if self.losses else np.zeros(0)
        known = reached[np.isfinite(reached)]
        if not known.size:
            return 0
        start = max([known[0], *(mark for mark in self.marks.values() if np.isfinite(mark))])
        enough = reached <= known[-1] + _LITTLE * (start - known[-1])
        return int(np.argmax(enough)) + 1


def search(
    pool: Pool,
    config: Config,
    *,
    data: str,
    storage: str,
    tracker: Tracker,
    warm: Sequence[tuple[Learner, Mapping[str, Any]]] = (),
    note: Note = silent,
) -> Found:
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
    warm
        Members of the last champion: tried first.
    tracker, note
        Who is told.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    starts = _starts(pool.task, warm)
    name = f"{config.name}.{pool.task.name}.{fingerprint(SPACE, data, pool.task.learners, config.seed, starts)}"
    study = optuna.create_study(study_name=name, storage=storage, direction="minimize", load_if_exists=True)
    _fail_running(study)
    objective = _Objective(pool, config)
    done = _replay(study, tracker)
    budget = config.tuning.time_budget
    clock = _Clock(budget.total_seconds() if budget else None)
    while done < config.tuning.trials and not clock.over:
        note(f"{pool.task.name}: trial {done + 1} of {config.tuning.trials}")
        _start(study, starts, done)
        study.sampler = optuna.samplers.TPESampler(seed=_seed(config.seed, done), n_startup_trials=8)
        study.pruner = optuna.pruners.MedianPruner(n_startup_trials=6)
        study.optimize(objective, n_trials=1, catch=())
        tracker.trial(**_told(_finished(study)[-1], done))
        done += 1
    losses = tuple(float(t.value) if t.state.name == "COMPLETE" else np.inf for t in _finished(study))
    return Found(_best(study, pool.task), losses, marks(pool))


def marks(pool: Pool) -> dict[str, float]:
    """What needs no search, measured as trials are: the average, past spend, the formula."""
    known: dict[str, Callable[[Part], FloatArray]] = {"average": lambda part: np.zeros(part.tried.size)}
    if pool.task.aspect in pool.rows.formula:
        known["formula"] = lambda part: part.rows.formula[pool.task.aspect]
    for member in past_spend(pool.task, pool.names, pool.rows):
        known["past spend"] = partial(_said, member)
    return {
        name: float(np.mean([levelled_loss(pool, margin(part), part) for part in pool.parts]))
        for name, margin in known.items()
    }


def propose(trial: Any, learners: tuple[Learner, ...]) -> tuple[Learner, dict[str, Any]]:
    """Draw a kind of member and its parameters. The size is bounded, so that a score with reasons stays cheap."""
    learner: Learner = trial.suggest_categorical("learner", learners)
    if learner == "linear":
        return learner, {"freedom": trial.suggest_float("freedom", 1e-4, 1.0, log=True)}
    depth = trial.suggest_int("depth", 2, 4)
    return learner, {
        "depth": depth,
        "rounds": capped(trial.suggest_int("rounds", 40, MOST_TREES, log=True), depth),
        "rate": trial.suggest_float("rate", 0.02, 0.15, log=True),
        "child_weight": trial.suggest_float("child_weight", 10.0, 200.0, log=True),
        "shrink": trial.suggest_float("shrink", 1.0, 100.0, log=True),
        "columns": trial.suggest_float("columns", 0.25, 1.0),
    }


def capped(rounds: int, depth: int) -> int:
    """So many trees that all have no more leaves than a score with reasons can afford.

    >>> capped(300, 4), capped(100, 4)
    (150, 100)
    """
    return min(rounds, MOST_LEAVES >> depth)


class _Objective:
    """The loss of a trial's member, blended half and half with the formula, on later days and other customers."""

    def __init__(self, pool: Pool, config: Config) -> None:
        self.pool, self.config, self.seed = pool, config, config.seed

    def __call__(self, trial: Any) -> float:
        import optuna

        learner, params = propose(trial, self.pool.task.learners)
        parts = self.pool.parts
        losses = [self._loss(learner, params, parts[0])]
        trial.report(losses[0], 0)
        if trial.should_prune():
            trial.set_user_attr("folds", losses)
            raise optuna.TrialPruned
        with workers(self.config) as pool:
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
    formula = part.rows.formula.get(pool.task.aspect)
    if formula is not None:
        slope, _ = affine(formula - np.log(pool.unit), pool.truth[part.tried] / pool.unit, _link(pool))
        margin = (margin + slope * formula) / 2
    return levelled_loss(pool, margin, part)


def levelled_loss(pool: Pool, margin: FloatArray, part: Part) -> float:
    """Mean loss of a margin, each snapshot's level and the slope set right."""
    truth, day = pool.truth[part.tried] / pool.unit, pool.day[part.tried] - pool.first_tried
    margin = margin - np.log(pool.unit)
    weights, offsets = stack(margin[:, None], truth, day, np.ones(1), 5.0, _link(pool))
    return float(loss(margin * weights[0] + offsets[day], truth, _link(pool)).mean())


def _said(member: Member, part: Part) -> FloatArray:
    return member.margin(part.rows)


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


def _starts(task: Task, warm: Sequence[tuple[Learner, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """What is tried first: the champion's members, then one of each kind."""
    known = [{"learner": learner, **params} for learner, params in warm if learner in task.learners]
    usual = [{"learner": learner, **STARTS[learner]} for learner in task.learners]
    return [*known, *(start for start in usual if start not in known)]


def _start(study: Any, starts: Sequence[Mapping[str, Any]], done: int) -> None:
    """Put the next start into the queue; one that a kill has left there is not put in again."""
    from optuna.trial import TrialState

    if done < len(starts) and not study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        study.enqueue_trial(dict(starts[done]))


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
        if "rounds" in params:
            params["rounds"] = capped(params["rounds"], params["depth"])
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
