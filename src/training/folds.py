"""Pooled snapshots, and their folds: fitted on earlier days and some customers, tried on later days and others."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..models.predictor.members import Rows
from ..models.predictor.predictor import formula_margins
from ..models.predictor.rhythm import Past
from .learners import Lesson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..config import Config
    from .history import History
    from .task import Task

    FloatArray = NDArray[np.float64]

FOLDS = 3
_EARLIER = 0.6  # share of the days to fit on
MOST_ROWS = 300_000
MOST_TRIED = 30_000


@dataclass(frozen=True, eq=False)
class Pool:
    """The labelled rows of all snapshots, for one task.

    Attributes
    ----------
    names
        Of the columns of the rows that are numbers; they come first.
    rows
        Encoded, with the formula's margins as they were on each row's own day.
    truth
        The task's answers.
    day
        The number of each row's snapshot, from 0, oldest first.
    fold
        Each customer's third, the same on all days.
    unit
        In which money is counted: the mean spend; 1 for probabilities.
    """

    task: Task
    names: tuple[str, ...]
    rows: Rows
    truth: FloatArray
    day: NDArray[np.intp]
    fold: NDArray[np.intp]
    unit: float

    @classmethod
    def of(cls, task: Task, history: History, config: Config) -> Pool:
        """Pool the snapshots of a history; of more rows than can be handled, a fixed part of the customers."""
        matrices, formulas, truths, days, draws = [], [], [], [], []
        total = sum(snapshot.features.num_rows for snapshot in history.snapshots)
        kept = min(1.0, MOST_ROWS / max(total, 1))
        for number, snapshot in enumerate(history.snapshots):
            ids = snapshot.features["customer_id"].to_pylist()
            draw = np.array([zlib.crc32(str(i).encode()) for i in ids]) / 2**32
            use = draw < kept
            rhythm = history.past_rhythms[number]
            margins = {}
            if rhythm is not None and history.rhythm is not None:
                past = Past.of(snapshot.features)
                margins = formula_margins(rhythm, past, float(history.learnt_horizon.days), task.sign)
            matrices.append(history.encoder.matrix(snapshot.features)[use])
            formulas.append({name: values[use] for name, values in margins.items()})
            truths.append(task.label(snapshot.outcome, config)[use])
            days.append(np.full(int(use.sum()), number))
            draws.append(draw[use])
        shared = set.intersection(*(set(found) for found in formulas))
        rows = Rows(np.concatenate(matrices), {n: np.concatenate([f[n] for f in formulas]) for n in sorted(shared)})
        truth, draw = np.concatenate(truths), np.concatenate(draws)
        unit = float(np.maximum(truth, 0.0).mean()) if task.link == "log" else 1.0
        fold = (draw * 2**32 / 7).astype(np.int64) % FOLDS
        return cls(task, history.encoder.numbers, rows, truth, np.concatenate(days), fold, unit if unit > 0 else 1.0)

    @property
    def days(self) -> int:
        """How many snapshots there are."""
        return int(self.day.max(initial=0)) + 1

    @cached_property
    def first_tried(self) -> int:
        """The first of the later days, on which members are tried."""
        return 0 if self.days == 1 else max(1, round(_EARLIER * self.days))

    def lesson(self, which: NDArray[np.intp] | None = None) -> Lesson:
        """Some of the rows, or all, to fit on."""
        if which is None:
            return Lesson(self.rows, self.truth, self.unit)
        return Lesson(self.rows.take(which), self.truth[which], self.unit)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The folds."""
        return tuple(self._part(number) for number in range(FOLDS))

    def _part(self, number: int) -> Part:
        earlier = self.day < self.first_tried if self.first_tried else np.ones(self.day.size, dtype=bool)
        fitted = np.flatnonzero(earlier & (self.fold != number))
        tried = np.flatnonzero((self.day >= self.first_tried) & (self.fold == number))
        return Part(self.lesson(_thin(fitted)), tried, self.rows.take(tried))


@dataclass(frozen=True, eq=False)
class Part:
    """One fold: what to fit on, and the numbers of the rows to try on."""

    lesson: Lesson
    tried: NDArray[np.intp]
    rows: Rows


def _thin(which: NDArray[np.intp]) -> NDArray[np.intp]:
    """An evenly spaced part of the rows where there are more than a trial needs."""
    step = max(1, -(-which.size // MOST_TRIED))
    return which[::step]
