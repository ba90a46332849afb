"""The stage profile on a finished run."""

from __future__ import annotations

import shutil
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from custid.config import load
from custid.errors import CustidError, InputError
from custid.models.bundle import Bundle
from custid.profiles.stage import maker, profile
from custid.registry import Registry
from custid.workspace import Workspace, write_parquet

if TYPE_CHECKING:
    from pathlib import Path

    from custid.config import Config

LINKS = {
    "logit": lambda p: np.log(p) - np.log1p(-p),
    "log": np.log,
    "identity": np.asarray,
}


def opened(made: Any, folder: Path, *overrides: str) -> tuple[Config, Workspace]:
    """A workspace of its own with the run's scores and features, and the run's models."""
    ws = Workspace(folder)
    for name in ("scores", "features"):
        shutil.copyfile(getattr(Workspace(made.workspace), name), getattr(ws, name))
    store = f"mlflow.tracking_uri={Workspace(made.workspace).tracking_uri}"
    return load(made.config, [*made.overrides, store, *overrides]), ws


def profiles(config: Config, ws: Workspace) -> pa.Table:
    profile(config, ws)
    return pq.read_table(ws.profiles)


def test_every_scored_customer_has_a_profile_and_no_value_is_missing(made: Any, tmp_path: Path) -> None:
    config, ws = opened(made, tmp_path)
    scores, found = pq.read_table(ws.scores), profiles(config, ws)
    assert found.column_names == [*scores.column_names, "tier", "lifecycle", "next_action", "reasons"]
    assert found.select(scores.column_names).equals(scores.sort_by("customer_id"))
    assert all(found[name].null_count == 0 for name in found.column_names)


def test_reasons_sum_to_the_score_on_its_link(made: Any, tmp_path: Path) -> None:
    config, ws = opened(made, tmp_path)
    found = profiles(config, ws)
    explained = found.filter(pc.greater(pc.list_value_length(found["reasons"]), 0))
    assert explained.num_rows == config.explain.customers
    registry = Registry(config, ws)
    champion = registry.champion()
    assert champion is not None
    bundle = Bundle.load(registry.fetch(champion))
    features = pq.read_table(ws.features)
    for task, predictor in bundle.predictors.items():
        parts = predictor.contributions(features.slice(0, 1))
        if task == "segments":
            continue
        sums = [sum(r["contribution"] for r in row if r["task"] == task) for row in explained["reasons"].to_pylist()]
        shipped = LINKS[parts.link](explained[parts.output].to_numpy())
        np.testing.assert_allclose(sums, shipped, rtol=0, atol=1e-8)


def test_the_explained_are_those_whom_somebody_looks_at_first(made: Any, tmp_path: Path) -> None:
    config, ws = opened(made, tmp_path, "explain.customers=10")
    found = profiles(config, ws)
    explained = np.flatnonzero(pc.list_value_length(found["reasons"]).to_numpy())
    value, churn, soon, odd = (found[n].to_numpy() for n in ("expected_value", "p_churn", "p_intent", "risk"))
    for order in (value, value * churn, soon, odd):
        assert set(np.argsort(-order, kind="stable")[: 10 // 4].tolist()) <= set(explained.tolist())


def test_the_order_of_the_rows_does_not_matter(made: Any, tmp_path: Path) -> None:
    config, ws = opened(made, tmp_path, "explain.customers=5")
    before = profiles(config, ws)
    scores = pq.read_table(ws.scores)
    write_parquet(ws.scores, scores.take(np.random.default_rng(0).permutation(scores.num_rows)))
    assert profiles(config, ws).equals(before)


def test_what_the_rules_lack_is_said_and_the_rest_still_works(made: Any, tmp_path: Path) -> None:
    config, ws = opened(made, tmp_path, "explain.customers=0")
    write_parquet(ws.scores, pq.read_table(ws.scores).select(["customer_id", "as_of", "release", "p_churn"]))
    said: list[str] = []
    profile(config, ws, said.append)
    found = pq.read_table(ws.profiles)
    assert any("Nobody can be VIP" in sentence for sentence in said)
    assert set(found["tier"].to_pylist()) <= {"ordinary", "lapsed"}
    assert not pc.any(pc.greater(pc.list_value_length(found["reasons"]), 0)).as_py()


def test_scores_of_other_customers_are_refused(made: Any, tmp_path: Path) -> None:
    config, ws = opened(made, tmp_path)
    write_parquet(ws.features, pq.read_table(ws.features).slice(1))
    with pytest.raises(CustidError, match=r"not of the same customers.*custid score"):
        profile(config, ws)


def on(table: pa.Table, day: date) -> pa.Table:
    """A table whose rows are said to be of another day."""
    return table.set_column(1, "as_of", pa.array([day] * table.num_rows, pa.date32()))


def test_scores_of_another_day_than_the_features_are_refused(made: Any, tmp_path: Path) -> None:
    config, ws = opened(made, tmp_path)
    write_parquet(ws.features, on(pq.read_table(ws.features), date(2001, 1, 1)))
    with pytest.raises(CustidError, match=r"not of the same day.*custid score"):
        profile(config, ws)


def test_a_release_that_knows_what_came_after_the_day_does_not_explain_it(made: Any, tmp_path: Path) -> None:
    config, ws = opened(made, tmp_path)
    for path in (ws.features, ws.scores):
        write_parquet(path, on(pq.read_table(path), date(2001, 1, 1)))
    with pytest.raises(InputError, match="after 2001-01-01, the day to score"):
        profile(config, ws)


def test_scores_of_an_unknown_release_are_refused(made: Any, tmp_path: Path) -> None:
    config, ws = opened(made, tmp_path)
    scores = pq.read_table(ws.scores)
    at = scores.column_names.index("release")
    other = scores.set_column(at, "release", [["999-none"] * scores.num_rows])
    write_parquet(ws.scores, other)
    assert maker(config, ws, other) is None
    with pytest.raises(CustidError, match="no longer known"):
        profile(config, ws)
