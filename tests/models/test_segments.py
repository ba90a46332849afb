from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custid.models.bundle import load
from custid.models.segments import Segments, Squash, distances, nearest, positions

COLUMNS = ("days_since_last", "purchases", "spend_mean", "age")


def features(n=200, seed=0):
    rng = np.random.default_rng(seed)
    columns = {
        "days_since_last": rng.exponential(60, n),
        "purchases": 1.0 + rng.poisson(4, n),
        "spend_mean": np.exp(rng.normal(3, 1, n)),
        "age": rng.uniform(1, 400, n),
    }
    return pa.table({"customer_id": [str(i) for i in range(n)], **columns})


def matrix(table):
    return np.stack([table[name].to_numpy() for name in COLUMNS], axis=1)


def segments(count=3, seed=0):
    table = features()
    squash = Squash.fit(COLUMNS, matrix(table))
    axes = np.random.default_rng(seed).normal(size=(len(squash.columns), 2))
    centres = positions(squash(table), axes)[[3, 50, 120, 7][:count]]
    names = tuple("abcd"[:count])
    return Segments(squash, axes, centres, names, names, {"age": (1.0, 2.0, 3.0)})


def test_each_customer_is_in_the_segment_whose_centre_is_nearest():
    made, table = segments(), features(seed=1)
    away = distances(positions(made.squash(table), made.axes), made.centres)
    assert (away[np.arange(len(away)), made.which(table)] == away.min(axis=1)).all()
    assert made.which(features()).tolist()[3] == 0
    assert set(made.predict(table)["segment"]) <= set(made.names)


@given(st.integers(0, 500), st.integers(1, 4))
def test_the_parts_say_how_much_nearer_the_own_centre_is(seed, count):
    made, table = segments(count, seed), features(60, seed)
    parts = made.contributions(table)
    away = np.sort(distances(positions(made.squash(table), made.axes), made.centres), axis=1)
    nearer = away[:, min(1, count - 1)] - away[:, 0]
    assert parts.names == made.columns
    assert parts.score() == pytest.approx(nearer, abs=1e-9)


def test_a_feature_that_no_axis_reads_is_no_reason():
    made, table = segments(), features(seed=2)
    made.axes[made.columns.index("age")] = 0.0
    assert not made.contributions(table).values[:, made.columns.index("age")].any()


def test_a_saved_segmentation_says_the_same_row_by_row(tmp_path):
    made, table = segments(), features(seed=2)
    made.save(tmp_path)
    again = load(tmp_path)
    whole = made.predict(table)["segment"]
    assert [again.predict(table.slice(i, 1))["segment"][0] for i in range(40)] == whole[:40].tolist()
    alone = [again.contributions(table.slice(i, 1)).values[0] for i in range(40)]
    assert (np.array(alone) == made.contributions(table).values[:40]).all()
    assert json.loads((tmp_path / "predictor.json").read_text())["kind"] == "segments"
    assert (again.names, again.about, again.usual) == (made.names, made.about, made.usual)


def test_a_segmentation_of_custid_0_1_says_what_it_said(tmp_path):
    made, table = segments(), features(seed=4)
    made.save(tmp_path)
    saved = json.loads((tmp_path / "predictor.json").read_text())
    weight = [1.2, 1.0, 0.4, 0.4]
    del saved["axes"]
    saved |= {"weight": weight, "centres": (made.squash(table)[:3] * weight).tolist()}
    (tmp_path / "predictor.json").write_text(json.dumps(saved))
    assert load(tmp_path).which(table)[:3].tolist() == [0, 1, 2]
    assert (load(tmp_path).contributions(table).score() >= -1e-9).all()


def test_what_is_unknown_counts_as_usual():
    squash = Squash.fit(COLUMNS, matrix(features()))
    row = pa.table({name: pa.array([None], pa.float64()) for name in squash.columns})
    assert squash(row).tolist() == [[0.0] * len(squash.columns)]


def test_what_is_the_same_for_everyone_is_left_out():
    values = matrix(features())
    values[:, 1] = 7.0
    assert Squash.fit(COLUMNS, values).columns == ("days_since_last", "spend_mean", "age")


def test_money_in_another_unit_gives_the_same_places():
    values = matrix(features())
    cents = values * [1, 1, 128, 1]
    assert np.allclose(Squash.fit(COLUMNS, values).of(values), Squash.fit(COLUMNS, cents).of(cents))


def test_of_equally_near_centres_the_first_is_taken():
    assert nearest(np.array([[0.0, 0.0]]), np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])).tolist() == [0]
