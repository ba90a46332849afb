"""The gate before a champion: is a new release worse than the one that is in use, on the same customers?

Both are scored on the held-out snapshot, each by the predictor that it was judged by: neither has seen what came. The
bootstrap draws the same customers for both, so that what the draw does to both cancels out; a release is worse where
even the better end of the difference's interval is against it.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..metrics import SMALLER_IS_BETTER, paired, resamples
from ..models.bundle import load
from ..registry.promotions import Decision
from .task import task_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..metrics import FloatArray, Metric
    from ..registry import Registry, Release
    from .history import History
    from .kept import Trained


@dataclass(frozen=True)
class Pair:
    """What two models said of the same customers in one task, and what came.

    Attributes
    ----------
    task
        The task.
    metrics
        What they are compared by.
    truth, candidate, champion
        Shape (n,) each: what came, what the new model said, what the champion said.
    """

    task: str
    metrics: Mapping[str, Metric]
    truth: FloatArray
    candidate: FloatArray
    champion: FloatArray


def gate(pairs: Iterable[Pair], champion: str, times: int, seed: int) -> Decision:
    """Decide whether a release may replace the champion.

    Parameters
    ----------
    pairs
        The tasks that both have a model for.
    champion
        The champion's id, for the sentence.
    times, seed
        Bootstrap resamples, and the seed that draws them.

    Examples
    --------
    >>> import numpy as np
    >>> from custid.metrics import auc
    >>> truth = np.arange(200) % 2.0
    >>> good, bad = truth + np.sin(np.arange(200)), np.cos(np.arange(200))
    >>> gate([Pair("churn", {"auc": auc}, truth, good, bad)], "1", 50, 7).promoted
    True
    >>> gate([Pair("churn", {"auc": auc}, truth, bad, good)], "1", 50, 7).promoted
    False
    """
    figures: dict[str, dict[str, Any]] = {}
    worse = []
    for pair in pairs:
        draws = resamples(pair.truth.size, times, seed)
        for name, metric in pair.metrics.items():
            ours, theirs = metric(pair.truth, pair.candidate), metric(pair.truth, pair.champion)
            low, high = paired(metric, pair.truth, pair.candidate, pair.champion, draws)
            found = {"candidate": ours, "champion": theirs, "difference": ours - theirs, "low": low, "high": high}
            figures.setdefault(pair.task, {})[name] = {k: v if isfinite(v) else None for k, v in found.items()}
            if low > 0 if name in SMALLER_IS_BETTER else high < 0:
                worse.append(
                    f"{pair.task}: {name} {ours:.4g} against {theirs:.4g} of the champion {champion} "
                    f"(difference {ours - theirs:+.4g}, 95 % interval {low:+.4g} to {high:+.4g})"
                )
    if worse:
        return Decision(False, "; ".join(worse), figures)
    return Decision(
        True, f"no worse than release {champion} on the same customers beyond the bootstrap's noise", figures
    )


def decide(registry: Registry, release: Release, history: History, models: Mapping[str, Trained]) -> Decision:
    """Whether a release becomes the champion.

    A release goes through :func:`gate` where there is a champion that could do its work: one that reads the same
    features, answers the same question, and knows nothing of the day or later. Else nothing is left to choose.
    """
    champion = registry.incumbent()
    if champion is None:
        return Decision(True, "the first release")
    if champion.id == release.id:
        return Decision(True, "it is the champion already")
    ours, theirs = release.manifest, champion.manifest
    if theirs["features"]["fingerprint"] != ours["features"]["fingerprint"]:
        return Decision(True, f"the champion {champion.id} reads features that are no longer computed")
    if theirs["question"] != ours["question"]:
        names = ", ".join(name for name in ours["question"] if theirs["question"].get(name) != ours["question"][name])
        return Decision(True, f"the champion {champion.id} answers another question ({names})")
    if theirs["as_of"] > ours["as_of"]:
        return Decision(
            True, f"the champion {champion.id} was trained as of {theirs['as_of']} and knows rows after {ours['as_of']}"
        )
    pairs = list(_pairs(registry, champion, history, models))
    if not pairs:
        return Decision(True, f"no outcome is held out to compare it with the champion {champion.id} on")
    config = registry.config
    return gate(pairs, champion.id, config.training.resamples, config.seed)


def _pairs(registry: Registry, champion: Release, history: History, models: Mapping[str, Trained]) -> Iterable[Pair]:
    if history.rehearsal is None:
        return
    held = history.rehearsal.latest
    for name, trained in models.items():
        task = task_of(name)
        if task.link == "none" or not trained.judged.is_dir() or not champion.manifest["models"][name].get("judged"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            theirs = load(registry.judged(champion, name, Path(folder))).predict(held.features)
        said = load(trained.judged).predict(held.features)
        wanted = [task.headline, *(["brier"] if task.link == "logit" else [])]
        yield Pair(
            name,
            {metric: task.metrics[metric] for metric in wanted},
            task.label(held.outcome, registry.config),
            said[task.output],
            theirs[task.output],
        )
