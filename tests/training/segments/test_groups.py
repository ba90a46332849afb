from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from custid.models.segments import positions
from custid.training.segments.centres import Tried, try_numbers
from custid.training.segments.groups import fit_segments, make
from custid.workspace import silent


@pytest.fixture(scope="module")
def trials():
    return []


@pytest.fixture(scope="module")
def grouped(history, quick_config, trials):
    return fit_segments(history, quick_config, SimpleNamespace(trial=lambda *told: trials.append(told)), silent)


def again(history, config):
    return fit_segments(history, config, SimpleNamespace(trial=lambda *_: None), silent)


def test_the_number_is_the_worthiest_of_those_tried(grouped, trials, quick_config):
    counts = [params["k"] for _, params, _, _ in trials]
    assert counts == list(range(quick_config.segments.least, quick_config.segments.most + 1))
    best = max(trials, key=lambda trial: trial[2]["worth"])
    assert len(grouped.segments.names) == best[1]["k"]
    assert grouped.metrics["stability"]["value"] == best[2]["stability"]


def test_more_segments_have_to_explain_more_and_shaky_or_tiny_ones_count_for_less():
    good = Tried(5, 0.25, 0.9, 0.1)
    assert good.worth > replace(good, count=6).worth
    assert good.worth > replace(good, stability=0.5).worth
    assert good.worth == replace(good, stability=0.85).worth
    assert replace(good, explains=0.9, smallest=0.001).worth < 0


def test_a_world_of_two_kinds_is_cut_in_two_that_are_stable(make, quick_config):
    world = make(customers=300, seed=4)
    kind = world.who % 2
    often = replace(world, amount=np.where(kind, world.amount * 40, world.amount))
    tried = try_numbers(often.history().snapshots, quick_config, silent)
    assert tried[0].count == 2
    assert tried[0].stability > 0.8


def test_it_is_judged_beside_points_and_cells_with_paired_intervals(grouped, history):
    assert set(grouped.baselines) == {"rfm", "rfm_cells"}
    for name, gaps in grouped.more["ahead"].items():
        for metric, gap in gaps.items():
            assert gap["low"] <= gap["value"] <= gap["high"]
            assert gap["value"] == pytest.approx(
                grouped.metrics[metric]["value"] - grouped.baselines[name][metric]["value"]
            )
    assert grouped.more["groups"]["segments"] <= len(grouped.segments.names)
    assert sum("RFM" in note for note in grouped.notes) == 2
    assert set(grouped.more["about"]) == set(grouped.segments.names)


def test_the_drift_goes_over_all_days_to_the_latest(grouped, history):
    drift = grouped.more["drift"]
    assert drift["days"] == [day.day.isoformat() for day in (*history.snapshots, history.latest)]
    assert drift["segments"] == list(grouped.segments.names)
    assert grouped.metrics["moved"]["value"] == drift["moved"][-1]
    assert 0 <= grouped.metrics["same_name"]["value"] <= 1


def test_every_figure_can_be_drawn(grouped):
    assert set(grouped.figures) == {"number", "explained", "sizes", "moves"}
    assert all(figure.to_json() for figure in grouped.figures.values())


def test_segments_come_in_the_order_of_what_they_promise(grouped):
    sums = grouped.segments.centres.sum(axis=1)
    assert all(one >= other for one, other in pairwise(sums))


def test_segments_made_again_are_the_same(grouped, history, quick_config):
    made = make(history, len(grouped.segments.names), quick_config.seed)
    assert (made.centres == grouped.segments.centres).all()
    assert made.names == grouped.segments.names


def test_what_is_judged_has_not_seen_what_came_after_the_held_out_day(grouped, history, quick_config):
    held = history.rehearsal.latest
    mirrored = held.labels.set_column(2, "spend", pa.array(held.labels["spend"].to_numpy()[::-1].copy()))
    blind = replace(history, rehearsal=replace(history.rehearsal, latest=replace(held, labels=mirrored)))
    other = again(blind, quick_config)
    assert len(other.segments.names) == len(grouped.segments.names)
    assert other.more["groups"] == grouped.more["groups"]
    assert other.metrics["refound"] == grouped.metrics["refound"]
    assert other.metrics["spend_explained"] != grouped.metrics["spend_explained"]


def test_without_a_day_held_out_the_notes_say_so(history, quick_config):
    alone = again(replace(history, rehearsal=None), quick_config)
    assert any("no room for a day held out" in note for note in alone.notes)


def test_where_everyone_is_alike_there_is_one_segment(history, quick_config):
    def flat(snapshot):
        names = [n for n in snapshot.features.column_names if n not in {"customer_id", "as_of", "top_channel"}]
        same = {name: pa.array([2.0] * snapshot.features.num_rows) for name in names}
        return replace(snapshot, features=pa.table({"customer_id": snapshot.features["customer_id"], **same}))

    alike = replace(history, snapshots=tuple(map(flat, history.snapshots)), latest=flat(history.latest), rehearsal=None)
    made = again(alike, quick_config).segments
    assert len(made.names) == 1
    assert set(made.predict(alike.latest.features)["segment"]) == set(made.names)


def test_the_axes_are_those_of_the_labelled_days(grouped, history):
    made = grouped.segments
    place = positions(made.squash(history.latest.features), made.axes)
    assert place.shape == (history.latest.features.num_rows, 2)
    assert np.isfinite(place).all()
