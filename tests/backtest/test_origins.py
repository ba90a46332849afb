from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custid.backtest.origins import first_day, origins
from custid.config import Config
from custid.errors import InputError
from custid.training.snapshots import LEAST_DAYS, plan
from custid.workspace import Workspace

FIRST = date(2020, 1, 1)


def settings(**backtest):
    source = {"name": "shop", "table": "transactions", "uri": "shop.csv"}
    return Config(name="shop", workspace="shop", sources=[source], backtest=backtest)


@given(st.integers(30, 1500), st.integers(1, 300), st.integers(1, 9), st.one_of(st.none(), st.integers(1, 200)))
def test_origins_lie_in_the_history_and_their_horizons_have_ended(length, horizon, most, stride):
    config = settings(origins=most, stride=None if stride is None else f"{stride}d")
    as_of, ahead = FIRST + timedelta(days=length), timedelta(days=horizon)
    try:
        found = origins(FIRST, as_of, ahead, config)
    except InputError:
        assert length < horizon + LEAST_DAYS
        return
    assert 1 <= len(found) <= most
    assert found[-1] == as_of - ahead
    gaps = {later - earlier for earlier, later in pairwise(found)}
    assert len(gaps) <= 1
    assert all(gap >= (config.training.stride if stride is None else timedelta(days=stride)) for gap in gaps)
    if len(found) > 1:
        assert all(plan(FIRST, day, ahead, config.training).learnt == ahead for day in found)


def test_a_short_history_is_told_what_it_takes():
    expected = r"begins on 2020-01-01, 100 days before as_of 2020-04-10; expected at least 111 days: a horizon of 90"
    with pytest.raises(InputError, match=expected):
        origins(FIRST, date(2020, 4, 10), timedelta(days=90), settings())


def test_without_a_history_there_is_nothing_to_look_back_at(tmp_path):
    with pytest.raises(InputError, match="expected one, since a backtest looks back"):
        first_day(Workspace(tmp_path))
