from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from custid.training.segments.naming import Portrait, line, names, portraits

PLACE = st.floats(0, 1)
PORTRAIT = st.builds(
    Portrait,
    purchases=st.integers(1, 60).map(float),
    purchases_place=PLACE,
    order=st.floats(0, 1e6),
    order_place=PLACE,
    silent=st.floats(0, 3000),
    silent_place=PLACE,
    gone=PLACE,
    spent=st.none() | st.floats(0, 1e6),
)
STAGES = {"new", "active", "at risk", "dormant", "gone"}


@given(st.lists(PORTRAIT, min_size=1, max_size=9))
def test_names_differ_and_none_is_a_stage_of_the_lifecycle(found):
    centres = np.arange(2.0 * len(found)).reshape(-1, 2)
    called = names(found, centres)
    assert len(set(called)) == len(found)
    assert not {part.lower() for name in called for part in name.split(", ")} & STAGES
    assert all(name[0].isupper() for name in called)


@given(st.lists(PORTRAIT, min_size=2, max_size=4), st.data())
def test_a_name_does_not_depend_on_the_order_of_the_segments(found, data):
    centres = np.array([[3.0, 1.0], [2.0, 1.5], [-1.0, 0.0], [0.5, -1.0]])[: len(found)]
    order = list(data.draw(st.sampled_from(list(permutations(range(len(found)))))))
    called = names(found, centres)
    assert names([found[i] for i in order], centres[order]) == tuple(called[i] for i in order)


@given(PORTRAIT, st.floats(-0.05, 0.05))
def test_a_small_move_within_a_word_keeps_the_name(found, move):
    middle = replace(found, purchases=4.0, purchases_place=0.69, order_place=0.5, silent_place=0.5)
    moved = replace(middle, purchases_place=0.69 + move, order_place=0.5 + move, silent_place=0.5 - move)
    assert names([middle], np.zeros((1, 2))) == names([moved], np.zeros((1, 2))) == ("Regular buyers",)


def test_segments_called_alike_are_told_apart_by_the_axis_on_which_they_differ():
    alike = Portrait(1.0, 0.2, 15.0, 0.5, 200.0, 0.5, 0.9, 20.0)
    assert names([alike, alike], np.array([[0.0, -1.0], [0.2, 1.0]])) == (
        "One-time buyers, spending less",
        "One-time buyers, spending more",
    )
    three = names([alike] * 3, np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 0.0]]))
    assert three == ("One-time buyers (3)", "One-time buyers (1)", "One-time buyers (2)")


def test_portraits_are_of_the_middle_customer_and_of_what_came(history):
    days = history.snapshots
    groups = [(day.features["purchases"].to_numpy() > 2).astype(int) for day in days]
    few, many, nobody = portraits(days, groups, 3)
    inside = np.concatenate(groups) == 1
    bought = np.concatenate([day.outcome.purchases for day in days])[inside] > 0
    assert many.purchases == np.median(np.concatenate([day.features["purchases"] for day in days])[inside])
    assert many.gone == 1 - bought.mean()
    assert few.purchases_place < 0.5 < many.purchases_place
    assert nobody.gone == 1 - np.mean(np.concatenate([day.outcome.purchases for day in days]) > 0)


@given(PORTRAIT)
def test_a_line_is_one_sentence_without_odd_numbers(found):
    told = line(found, 90)
    assert "nan" not in told
    assert "e+" not in told
    assert "\n" not in told
    assert told.startswith("typically ")
    assert ("the others spent" in told) == (found.spent is not None)
