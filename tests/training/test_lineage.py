from __future__ import annotations

from dataclasses import replace

import numpy as np

from custid.models.btyd import Diary
from custid.training.lineage import Lineage, data_fingerprint


class Filtering:
    """An archive that makes each task's history anew, as one does whose tasks concern but some customers."""

    def __init__(self, history):
        self._history = history

    def of(self, task):
        some = self._history.snapshots[1:] if task.name == "churn" else self._history.snapshots
        return replace(self._history, snapshots=some)


def test_each_task_has_the_fingerprint_of_its_own_data(history):
    lineage = Lineage(Filtering(history))
    whole, part = data_fingerprint(history), data_fingerprint(replace(history, snapshots=history.snapshots[1:]))
    assert whole != part
    assert [lineage.data(task) for task in ("clv", "churn", "high_value") * 3] == [whole, part, whole] * 3


def test_when_customers_bought_and_what_was_rehearsed_are_of_the_data(history):
    diary = Diary.of(np.array([0, 0, 1, 1]), np.array([3, 9, 4, 40]))
    history = replace(history, latest=replace(history.latest, diary=diary))
    known = data_fingerprint(history)
    moved = replace(diary, bought=diary.bought + 1.0)
    assert data_fingerprint(replace(history, latest=replace(history.latest, diary=moved))) != known
    shuffled = replace(diary, bought=np.random.default_rng(1).permutation(diary.bought))
    assert data_fingerprint(replace(history, latest=replace(history.latest, diary=shuffled))) == known
    assert data_fingerprint(replace(history, rehearsal=None)) != known
