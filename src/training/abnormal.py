"""Risk: what is normal is learnt, and how well planted abnormal customers are found is measured.

Nobody labels abnormal customers, so nothing can be judged by what came. In a copy of the held-out day's rows, one
customer in a hundred is given the worst half per cent of that day in three traits drawn at random, and it is measured
how well these are found, beside an isolation forest and the sum of squared z-scores on the same traits. These figures
say that the score works as it is meant to; they are no promise about fraud.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import metrics
from ..explain import importance
from ..models.predictor.encoder import Encoder
from ..models.risk.risk import TRAITS, Risk
from . import figures
from .fitted import Fitted, Means

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from ..config import Config
    from .history import History
    from .task import Task

    FloatArray = NDArray[np.float64]
    Block = dict[str, dict[str, float | None]]

_PLANTED = 0.01
_TRAITS = 3
_WORST = 0.995
_FEWEST = 10
ALARM = 0.99
"""The risk from which a customer would be looked at: a hundredth of a normal day."""


def fit_risk(task: Task, history: History, config: Config, means: Means) -> Fitted:
    """What is normal, from the labelled days and the rows of the day itself; no outcome is looked at."""
    means.note(f"{task.name}: learning what is normal")
    model = Risk.fit([snapshot.features for snapshot in (*history.snapshots, history.latest)])
    back = history.rehearsal
    judged = Risk.fit([s.features for s in (*back.snapshots, back.latest)]) if back is not None else None
    held = back.latest if back is not None else history.latest
    means.note(f"{task.name}: finding planted customers")
    found, others, points = _planted(judged or model, held.features, config)
    found |= _steady(judged, model, history, config)
    some = history.latest.features.slice(0, config.explain.background)
    drawn = {"drivers": figures.drivers(importance(model.contributions(some)), "risk: what moves the score")}
    if points:
        drawn["lift"] = figures.gain(points["gain"], "risk: planted customers among the highest scores")
    return Fitted(
        task=task.name,
        predictor=model,
        judged=judged,
        metrics=found,
        baselines=others,
        snapshot=held.day,
        n=held.features.num_rows,
        params={"traits": len(model.traits), "groups of peers": len(model.edges) + 1},
        figures=drawn,
        chosen=f"tails of {len(model.traits)} traits among {len(model.edges) + 1} groups of peers, alone and together",
        notes=_notes(found),
        curves=points,
    )


def _planted(model: Risk, features: pa.Table, config: Config) -> tuple[Block, dict[str, Block], dict[str, Any]]:
    """How well planted customers are found: the model's figures, the baselines', and the points of the gain curve."""
    rows, truth = plant(model, features, config.seed)
    if not truth.any():
        return {}, {}, {}
    draws = metrics.resamples(truth.size, config.training.resamples, config.seed)
    measured = {"planted_auc": metrics.auc, "planted_precision": _precision}
    score = model.predict(rows)["risk"]
    order = np.argsort(-score, kind="stable")
    ends = np.unique(np.linspace(0, truth.size, 51).round().astype(int))
    held = np.concatenate([[0.0], np.cumsum(truth[order])]) / truth.sum()
    gain = [(float(i / truth.size), float(held[i])) for i in ends]
    others = {
        name: metrics.measure(measured, truth, values, draws)
        for name, values in rivals(model, features, rows, config.seed).items()
    }
    return metrics.measure(measured, truth, score, draws), others, {"gain": gain}


def plant(model: Risk, features: pa.Table, seed: int) -> tuple[pa.Table, FloatArray]:
    """A copy of some customers in which one of a hundred is abnormal, and who those are: 1 or 0, shape (n,)."""
    import pyarrow as pa

    rng = np.random.default_rng(seed)
    truth = np.zeros(features.num_rows)
    matrix = Encoder(model.traits, {}).matrix(features)
    signs = np.array([float(TRAITS[name]) for name in model.traits])
    some = [j for j, column in enumerate(matrix.T) if np.isfinite(column).sum() >= _FEWEST]
    if features.num_rows < _FEWEST or not some:
        return features, truth
    worst = signs * np.array(
        [np.nanquantile(matrix[:, j] * signs[j], _WORST) if j in some else 0.0 for j in range(len(signs))]
    )
    chosen = np.sort(rng.choice(features.num_rows, max(_FEWEST, round(_PLANTED * features.num_rows)), replace=False))
    for row in chosen:
        which = rng.choice(some, min(_TRAITS, len(some)), replace=False)
        matrix[row, which] = worst[which]
    truth[chosen] = 1.0
    for name, column in zip(model.traits, matrix.T, strict=True):
        at = features.schema.get_field_index(name)
        features = features.set_column(at, name, pa.array(column, pa.float64(), from_pandas=True))
    return features, truth


def rivals(model: Risk, features: pa.Table, rows: pa.Table, seed: int) -> Mapping[str, FloatArray]:
    """What is used without a model of one's own: an isolation forest and squared z-scores, on the same traits."""
    from sklearn.ensemble import IsolationForest

    encoder = Encoder(model.traits, {})
    normal = encoder.matrix(features)
    known = np.isfinite(normal)
    usual = np.array([np.median(c[k]) if k.any() else 0.0 for c, k in zip(normal.T, known.T, strict=True)])
    normal = np.where(known, normal, usual)
    asked = encoder.matrix(rows)
    asked = np.where(np.isfinite(asked), asked, usual)
    spread = np.maximum(normal.std(axis=0), 1e-9)
    forest = IsolationForest(n_estimators=200, random_state=seed % 2**31, n_jobs=1).fit(normal)
    return {
        "isolation_forest": -np.asarray(forest.score_samples(asked), dtype=np.float64),
        "z_scores": (((asked - normal.mean(axis=0)) / spread) ** 2).sum(axis=1),
    }


def _precision(truth: FloatArray, score: FloatArray) -> float:
    """The share of planted customers among the top hundredth."""
    return metrics.capture(truth, score, _PLANTED) * float(truth.sum()) / max(1, round(_PLANTED * truth.size))


def _steady(judged: Risk | None, model: Risk, history: History, config: Config) -> Block:
    """How far the score is the same: by an earlier model, and a snapshot earlier; and how many would be looked at."""
    now = history.latest.features
    score = model.predict(now)["risk"]
    draws = metrics.resamples(score.size, config.training.resamples, config.seed)
    found = metrics.measure({"alarm_share": lambda _, risk: float((risk >= ALARM).mean())}, score, score, draws)
    if judged is not None:
        found |= metrics.measure({"stability_refit": metrics.spearman}, judged.predict(now)["risk"], score, draws)
    if len(history.snapshots) > 1:
        one, other = (_by_id(model, snapshot.features) for snapshot in history.snapshots[-2:])
        both = sorted(one.keys() & other.keys())
        first, second = (np.array([scores[i] for i in both]) for scores in (one, other))
        draws = metrics.resamples(len(both), config.training.resamples, config.seed)
        found |= metrics.measure({"stability_days": metrics.spearman}, first, second, draws)
    return found


def _by_id(model: Risk, features: pa.Table) -> dict[str, float]:
    ids = features["customer_id"].to_pylist()
    return dict(zip(ids, model.predict(features)["risk"].tolist(), strict=True))


def _notes(found: Mapping[str, Mapping[str, float | None]]) -> tuple[str, ...]:
    notes = [
        "Risk has no labels: it is judged by abnormal customers that were planted into a copy of the held-out day."
    ]
    share = found.get("alarm_share", {}).get("value")
    if share is not None:
        notes.append(f"{100 * share:.1f} % of the customers of the day have a risk of {ALARM} or more.")
    return tuple(notes)
