from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from custid.errors import InputError
from custid.models.predictor.encoder import Encoder


def table(**columns):
    n = len(next(iter(columns.values())))
    return pa.table({"customer_id": [str(i) for i in range(n)], "as_of": [0] * n, **columns})


def test_what_is_the_same_for_everyone_on_each_day_is_left_out():
    one = table(month=[1.0, 1.0], spend=[1.0, 2.0], nothing=pa.array([None, None], pa.float64()))
    other = table(month=[2.0, 2.0], spend=[3.0, 3.0], nothing=pa.array([None, None], pa.float64()))
    assert Encoder.fit([one, other]).columns == ("spend",)


def test_known_against_unknown_tells_customers_apart():
    assert Encoder.fit([table(gap=[5.0, None])]).columns == ("gap",)


def test_frequent_levels_have_a_column_and_rare_or_unknown_ones_have_none():
    channel = ["web"] * 60 + ["shop"] * 39 + ["fax"]
    encoder = Encoder.fit([table(channel=channel)])
    assert encoder.levels == {"channel": ("web", "shop")}
    matrix = encoder.matrix(table(channel=["shop", "fax", "new", None]))
    assert matrix.tolist() == [[0, 1], [0, 0], [0, 0], [0, 0]]
    assert encoder.owners.tolist() == [0, 0]


def test_unknown_and_infinite_numbers_become_nan():
    matrix = Encoder(("x",), {}).matrix(table(x=[1.0, None, float("inf")]))
    assert matrix[0, 0] == 1.0
    assert np.isnan(matrix[1:, 0]).all()


def test_whole_numbers_and_flags_are_numbers():
    matrix = Encoder(("n", "flag"), {}).matrix(table(n=[1, None], flag=[True, False]))
    assert matrix[0].tolist() == [1.0, 1.0]
    assert np.isnan(matrix[1, 0])


def test_it_comes_back_from_plain_values():
    encoder = Encoder(("a", "b"), {"c": ("x",)})
    assert Encoder.from_dict(encoder.to_dict()) == encoder


def test_text_where_a_number_should_be_is_refused_by_name():
    with pytest.raises(InputError, match="features: x is of type string; expected numbers"):
        Encoder(("x",), {}).matrix(table(x=["many"]))
