"""Churn in its three forms, and the profit view of each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..metrics import profit
from ..models.predictor.encoder import numbers
from . import figures
from .fit import fit_blend
from .labelled.labelled import fit_labelled

if TYPE_CHECKING:
    from ..config import Config
    from .fitted import Fitted, Means
    from .history import History
    from .task import Task


def costs_of(config: Config) -> profit.Costs:
    """What a customer is worth, and what contact and offer cost, from the settings."""
    c = config.churn
    return profit.Costs(c.value, c.offer_cost, c.contact_cost, c.accept_alpha, c.accept_beta)


def fit_churn(task: Task, history: History, config: Config, means: Means) -> Fitted:
    """Learn who leaves, by the form of leaving, and say whom it pays to contact.

    Silent: formulas and learners over labelled snapshots. Contractual: the same without formulas and past spend.
    Labelled: :func:`~custid.training.labelled.fit_labelled`.
    """
    costs = costs_of(config)
    task = replace(task, metrics={**task.metrics, **profit.measures(costs)})
    form = config.churn_form
    if form == "labelled":
        return with_profit(task, fit_labelled(task, history, config, means), history, config)
    if form == "contractual":
        history = _of_contracts(history)
        task = replace(task, learners=("trees", "linear"), past_spend=False)
    return with_profit(task, fit_blend(task, history, config, means), history, config)


def _of_contracts(history: History) -> History:
    """The history without formulas, and of its latest rows those with an open subscription: they set the level."""
    runs = numbers(history.latest.features, "subscriptions_open", 0.0) > 0
    back = history.rehearsal
    without = None if back is None else replace(back, formulas=False)
    return replace(history, formulas=False, rehearsal=without, latest=history.latest.take(runs))


def with_profit(task: Task, fitted: Fitted, history: History, config: Config) -> Fitted:
    """The same with the curve of profit by the share contacted, where customers were held out to draw it on."""
    seen, back = fitted.seen, history.rehearsal
    if seen is None and fitted.judged is not None and back is not None:
        said = fitted.judged.predict(back.latest.features)[task.output]
        seen = task.label(back.latest.outcome, config), said
    if seen is None:
        return fitted
    points = profit.profit_curve(*seen, costs_of(config))
    best = float(fitted.metrics["contact_share"]["value"] or 0.0)
    drawn = figures.profit(points, best, f"{task.name}: profit by the share contacted")
    return replace(fitted, curves={**fitted.curves, "profit": points}, figures={**fitted.figures, "profit": drawn})
