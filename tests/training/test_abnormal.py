from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from custid.models.predictor.encoder import Encoder
from custid.models.risk.risk import Risk
from custid.training.abnormal import plant, rivals
from custid.training.fit import fit_task
from custid.training.history import History, Snapshot

DAY = date(2021, 1, 1)


def rows(n=800, seed=0):
    rng = np.random.default_rng(seed)
    names = ("recent_amount_ratio", "recent_lines_ratio", "purchases_7", "return_share", "spend_30")
    return pa.table({"customer_id": [str(i) for i in range(n)], **{name: rng.gamma(1.0, 1.0, n) for name in names}})


def snapshot(number, seed):
    table = rows(seed=seed)
    labels = {"purchases": np.zeros(table.num_rows, dtype=int), "spend": np.ones(table.num_rows)}
    return Snapshot(DAY + timedelta(days=30 * number), table, pa.table({"customer_id": table["customer_id"], **labels}))


@pytest.fixture(scope="module")
def history():
    days = tuple(snapshot(number, number) for number in range(4))
    month = timedelta(days=30)
    return History(days, snapshot(6, 6), month, month, History(days[:2], days[-1], month, month))


@pytest.fixture(scope="module")
def fitted(history, quick_config):
    return fit_task("risk", history, quick_config)


def test_planted_customers_have_the_worst_of_the_day_and_the_others_are_as_they_were():
    table = rows()
    model = Risk.fit([table])
    changed, truth = plant(model, table, 7)
    before, after = (Encoder(model.traits, {}).matrix(t) for t in (table, changed))
    assert truth.sum() == 10
    assert (before[truth == 0] == after[truth == 0]).all()
    worst = np.quantile(before, 0.995, axis=0)
    assert ((after[truth == 1] == worst).sum(axis=1) == 3).all()
    again, same = plant(model, table, 7)
    assert again.equals(changed)
    assert (same == truth).all()


def test_they_are_found_better_than_by_z_scores_alone():
    table = rows(3_000)
    model = Risk.fit([rows(3_000, seed=s) for s in (1, 2)])
    changed, truth = plant(model, table, 7)
    found = model.predict(changed)["risk"]
    assert np.median(found[truth == 1]) > 0.99
    assert set(rivals(model, table, changed, 7)) == {"isolation_forest", "z_scores"}


def test_it_is_judged_without_labels_and_says_so(fitted, history):
    assert fitted.snapshot == history.rehearsal.latest.day
    for name in ("planted_auc", "planted_precision", "alarm_share", "stability_refit", "stability_days"):
        low, value, high = (fitted.metrics[name][part] for part in ("low", "value", "high"))
        assert -1 <= low <= value <= high <= 1
    assert set(fitted.baselines) == {"isolation_forest", "z_scores"}
    assert "planted" in fitted.notes[0]


def test_no_outcome_reaches_it(fitted, history, quick_config):
    def blind(snapshot):
        zeros = pa.array(np.zeros(snapshot.labels.num_rows))
        return replace(snapshot, labels=snapshot.labels.set_column(2, "spend", zeros))

    other = fit_task("risk", replace(history, snapshots=tuple(map(blind, history.snapshots))), quick_config)
    features = history.latest.features
    assert (other.predictor.predict(features)["risk"] == fitted.predictor.predict(features)["risk"]).all()
