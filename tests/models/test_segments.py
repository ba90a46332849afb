from __future__ import annotations

import numpy as np
import pyarrow as pa

from custid.models.bundle import load
from custid.models.segments import TRAITS, Scaling, Segments, describe, name_segments


def features(n=200, seed=0):
    rng = np.random.default_rng(seed)
    columns = {
        "days_since_last": rng.exponential(60, n),
        "purchases": 1.0 + rng.poisson(4, n),
        "spend_mean": np.exp(rng.normal(3, 1, n)),
        "age": rng.uniform(1, 400, n),
    }
    return pa.table({"customer_id": [str(i) for i in range(n)], **columns})


def segments():
    table = features()
    scaling = Scaling.fit(table)
    centres = scaling(table)[[3, 50, 120]]
    names = name_segments(scaling.columns, centres)
    return Segments(scaling, centres, names, ("a", "b", "c"), {"age": (1.0, 2.0, 3.0)})


def test_each_customer_is_in_the_segment_whose_centre_is_nearest():
    made, table = segments(), features(seed=1)
    parts = made.contributions(table)
    assert (parts.values.sum(axis=1) >= 0).all()
    assert made.which(features()).tolist()[3] == 0
    assert set(made.predict(table)["segment"]) <= set(made.names)


def test_a_saved_segmentation_says_the_same_row_by_row(tmp_path):
    made, table = segments(), features(seed=2)
    made.save(tmp_path)
    again = load(tmp_path)
    whole = made.predict(table)["segment"]
    assert [again.predict(table.slice(i, 1))["segment"][0] for i in range(40)] == whole[:40].tolist()


def test_what_is_unknown_counts_as_usual():
    scaling = Scaling.fit(features())
    row = pa.table({name: pa.array([None], pa.float64()) for name in scaling.columns})
    assert scaling(row).tolist() == [[0.0] * len(scaling.columns)]


def test_names_differ_even_where_centres_hardly_do():
    columns = tuple(TRAITS)[:2]
    names = name_segments(columns, np.array([[2.0, 0.0], [2.1, 0.0], [0.0, 0.0]]))
    assert len(set(names)) == 3


def test_money_in_another_unit_gives_the_same_places():
    table = features()
    cents = table.set_column(3, "spend_mean", pa.array(table["spend_mean"].to_numpy() * 128))
    assert np.allclose(Scaling.fit(table)(table), Scaling.fit(cents)(cents))


def test_no_segment_can_be_called_like_a_stage_of_the_lifecycle():
    called = {word.lower() for trait in TRAITS.values() for word in (trait.high, trait.low)}
    assert not called & {"new", "active", "at risk", "dormant", "gone"}


def test_a_centre_is_told_in_its_own_units_and_in_words():
    scaling, table = Scaling.fit(features()), features()
    values = scaling.values(scaling(table)[:1])[0]
    assert np.allclose(values, [table[name][0].as_py() for name in scaling.columns])
    line = describe(tuple(TRAITS), np.full(len(TRAITS), 123456.0))
    assert "_" not in line
    assert "e+" not in line
    assert line.startswith("last bought 123,456 days ago")
