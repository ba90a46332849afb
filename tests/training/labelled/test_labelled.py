from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from custid.models.bundle import load
from custid.training.fit import fit_task
from custid.training.history import Snapshot
from custid.training.labelled.labelled import learn
from custid.training.task import task_of

DAY = date(2024, 6, 1)
SPAN = timedelta(days=30)


def snapshot(n, seed=1, start=0):
    rng = np.random.default_rng(seed)
    fee, kind = rng.normal(50, 10, n), rng.integers(0, 3, n)
    label = (rng.random(n) < 1 / (1 + np.exp(-(fee - 55) / 5 - kind))).astype(float)
    ids = [f"c{i + start:04d}" for i in range(n)]
    features = pa.table(
        {
            "customer_id": ids,
            "as_of": pa.array([DAY] * n, pa.date32()),
            "fee": fee,
            "blank": pa.array([None if i % 7 else 1.0 for i in range(n)], pa.float64()),
            "plan": pa.array(["abc"[k] for k in kind]),
        }
    )
    return Snapshot(DAY, features, pa.table({"customer_id": ids, "label": label}))


@pytest.fixture(scope="module")
def fitted(observing, parted):
    return fit_task("churn", parted(snapshot(500)), observing)


def test_it_learns_and_says_how_well_on_those_it_has_not_seen(fitted):
    assert fitted.n == 500
    assert fitted.metrics["auc"]["value"] > 0.75
    assert fitted.metrics["ece"]["value"] < 0.12
    assert set(fitted.baselines) == {"prior", "logistic", "shallow_xgboost", "xgboost"}
    assert len(fitted.curves["folds"]["model"]) == 10
    assert any("2 x 5 parts" in note for note in fitted.notes)


def test_the_profit_view_goes_with_it(fitted):
    assert fitted.metrics["emp"]["value"] >= fitted.baselines["prior"]["emp"]["value"]
    assert 0 < fitted.metrics["contact_share"]["value"] <= 1
    assert fitted.curves["profit"][0] == (0.0, 0.0)
    assert "profit" in fitted.figures


def test_reasons_sum_to_the_score_and_a_row_alone_scores_the_same(fitted, tmp_path):
    fitted.predictor.save(tmp_path)
    loaded = load(tmp_path)
    rows = snapshot(40, seed=9).features
    together = loaded.predict(rows)["p_churn"]
    assert together.tolist() == fitted.predictor.predict(rows)["p_churn"].tolist()
    for i in range(0, 40, 13):
        assert loaded.predict(rows.slice(i, 1))["p_churn"][0] == together[i]
    assert np.abs(loaded.contributions(rows).score() - together).max() < 1e-9


def test_the_threads_do_not_count(observing, parted):
    rows, task = snapshot(300), task_of("churn")
    one, two = (learn(task, (rows,), observing.model_copy(update={"threads": n})).predictor for n in (1, 2))
    assert one.predict(rows.features)["p_churn"].tolist() == two.predict(rows.features)["p_churn"].tolist()


def test_in_time_it_is_judged_on_the_newest_alone(observing, parted):
    found = fit_task("churn", parted(snapshot(400), mixed=False), observing)
    assert found.n == 80
    assert any("a fifth that was held out" in note for note in found.notes)


def test_with_a_handful_of_leavers_everyone_gets_the_average(observing, parted):
    rows = snapshot(200)
    few = pa.table({"customer_id": rows.labels["customer_id"], "label": (np.arange(200) % 20 == 0).astype(float)})
    found = fit_task("churn", parted(Snapshot(DAY, rows.features, few)), observing)
    assert found.predictor.predict(rows.features)["p_churn"] == pytest.approx(np.full(200, 0.05), abs=0.01)
    assert found.chosen == "the average for everyone"
