"""The gate before a champion: is a new release worse than the one that is in use, on the same customers?

A champion that cannot answer (it knows the future of the day, or was asked something else) is replaced whatever it is
worth, and the log says so; every other one is compared. Both are scored on the held-out snapshot, each by the predictor
that it was judged by: neither has seen what came. The bootstrap draws the same customers for both, so that what the
draw does to both cancels out; a release is worse where even the better end of the difference's interval is against it.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..metrics import SMALLER_IS_BETTER, paired, resamples
from ..models.bundle import Bundle, load
from ..registry.promotions import Decision
from ..registry.promotions import history as history_of
from .task import task_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..metrics import FloatArray, Metric
    from ..registry import Registry, Release
    from .kept import Trained
    from .labelled.observed import AnyArchive


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


def rival(registry: Registry, release: Release) -> Release | None:
    """The champion that a release has to be no worse than; None where there is none.

    It is the one in use, unless that one only looks back, and the release does not have to: then it is the champion
    that the look back has set aside, so that looking back and forth again lets nothing worse through.
    """
    promoted = {entry["release"]: entry for entry in history_of(registry.ws) if entry["promoted"]}
    champion = registry.incumbent()
    while champion is not None and promoted.get(champion.id, {}).get("looks_back"):
        aside = registry.named(promoted[champion.id]["replaced"])
        if aside is None or aside.manifest["as_of"] > release.manifest["as_of"]:
            break
        champion = aside
    return champion


def decide(registry: Registry, release: Release, archive: AnyArchive, models: Mapping[str, Trained]) -> Decision:
    """Whether a release becomes the champion.

    ====================================================  ==========================================================
    the champion                                          the release becomes champion
    ====================================================  ==========================================================
    none, or this very release                            yes
    was trained as of a later day                         yes: the champion knows the day's future
    was asked something else (tasks, horizon, share, ...)  yes: the config asks; tasks of both are compared all the same
    reads features by other code                          where :func:`gate` passes it
    reads features that are gone                          yes: it cannot score; the figures of each are set side by side
    any other                                             where :func:`gate` passes it
    ====================================================  ==========================================================

    A release without a model never does. The champion is the one of :func:`rival`.
    """
    champion = rival(registry, release)
    if not release.tasks:
        return Decision(False, "it holds no model")
    if champion is None:
        return Decision(True, "the first release")
    if champion.id == release.id:
        return Decision(True, "it is the champion, or was before a look back")
    ours, theirs = release.manifest, champion.manifest
    if theirs["as_of"] > ours["as_of"]:
        return Decision(
            True,
            f"looks back: the champion {champion.id} was trained as of {theirs['as_of']} and knows rows after "
            f"{ours['as_of']}",
            looks_back=True,
        )
    if theirs["question"] != ours["question"]:
        names = [name for name in ours["question"] if theirs["question"].get(name) != ours["question"][name]]
        reason = f"the config asks another question ({', '.join(names)}) than the champion {champion.id} answers"
        return _whatever(reason, _compared(registry, champion, archive, models) if names == ["tasks"] else None)
    compared = _compared(registry, champion, archive, models)
    if theirs["features"]["fingerprint"] == ours["features"]["fingerprint"]:
        return compared
    gone = sorted(_columns(registry, champion) - set(ours["features"]["columns"]))
    if gone:
        reason = f"the champion {champion.id} reads features that are no longer computed ({', '.join(gone)})"
        return _whatever(reason, _side_by_side(release, champion))
    return replace(compared, reason=f"features are computed by other code; {compared.reason}")


def _whatever(reason: str, compared: Decision | None) -> Decision:
    """Promoted since the champion cannot answer; what a comparison said, where there was one, is written down."""
    if compared is None:
        return Decision(True, reason)
    return Decision(True, f"{reason}; {compared.reason}", compared.figures)


def _compared(registry: Registry, champion: Release, archive: AnyArchive, models: Mapping[str, Trained]) -> Decision:
    """The gate, over the tasks that both have a judged model for."""
    pairs = list(_pairs(registry, champion, archive, models))
    if not pairs:
        return Decision(True, f"no outcome is held out to compare it with the champion {champion.id} on")
    config = registry.config
    return gate(pairs, champion.id, config.training.resamples, config.seed)


def _side_by_side(release: Release, champion: Release) -> Decision:
    """What each was measured to reach, where the champion cannot be run any more: not on the same customers."""
    figures: dict[str, Any] = {}
    for task in release.tasks:
        known = {"candidate": release.manifest["metrics"][task], "champion": champion.manifest["metrics"].get(task)}
        name = known["candidate"]["headline"]
        if known["champion"] is not None and name in known["champion"]["model"]:
            said = {who: block["model"][name]["value"] for who, block in known.items()}
            figures[task] = {name: {**said, "paired": False}}
    told = [
        f"{task}: {name} {found['candidate']:.4g}, the champion's {found['champion']:.4g}"
        for task, metrics in figures.items()
        for name, found in metrics.items()
        if found["candidate"] is not None and found["champion"] is not None
    ]
    return Decision(True, f"as each was measured, not on the same customers: {'; '.join(told) or 'nothing'}", figures)


def _columns(registry: Registry, champion: Release) -> set[str]:
    """The features that a champion's models read."""
    return set(Bundle.load(registry.fetch(champion)).columns)


def _pairs(registry: Registry, champion: Release, archive: AnyArchive, models: Mapping[str, Trained]) -> Iterable[Pair]:
    for name, trained in models.items():
        task = task_of(name)
        rehearsal = archive.of(task).rehearsal
        theirs = champion.manifest["models"].get(name, {}).get("judged")
        if rehearsal is None or task.link == "none" or not trained.judged.is_dir() or not theirs:
            continue
        held = rehearsal.latest
        with tempfile.TemporaryDirectory() as folder:
            judged = load(registry.judged(champion, name, Path(folder)))
            if not {*judged.columns} <= {*held.features.column_names}:
                continue
            said_by_them = judged.predict(held.features)
        said = load(trained.judged).predict(held.features)
        wanted = [task.headline, *(["brier"] if task.link == "logit" else [])]
        yield Pair(
            name,
            {metric: task.metrics[metric] for metric in wanted},
            task.label(held.outcome, registry.config),
            said[task.output],
            said_by_them[task.output],
        )
