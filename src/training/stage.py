"""The stage train: a model for each task, all of it in MLflow, and one release.

Every step can be killed. A task that was finished is found again by the digest of what it was made from; a search goes
on where it stopped; a version and a release that were registered are not registered twice; runs that a kill left
running are ended as killed.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..profiles.rules import fingerprint as fingerprint_of_rules
from ..registry import Registry
from ..registry.files import digests
from ..registry.overview import HEADLINE_TAG
from ..registry.promotions import Decision
from ..workspace import fingerprint, silent, write_json
from . import kept, logged
from .gate import decide, rival
from .lineage import Lineage, currency
from .task import task_of
from .track import TaskRun, flat_metrics, summarise

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from ..config import Config
    from ..registry import Release
    from ..workspace import Note, Workspace
    from .fitted import Fitted, Members
    from .history import History
    from .kept import Trained
    from .task import Learner


def train(config: Config, ws: Workspace, as_of: date, note: Note = silent) -> Release:
    """Tune, fit, judge and register a model for each task; make a release; write the champion's metrics.json.

    The first release becomes the champion; a later one only where it is no worse than the champion on the customers
    of the held-out snapshot, or the champion cannot answer (see :func:`~custid.training.gate.decide`). Either way the
    decision is in the promotion log.

    Returns
    -------
    Release
        What was made; ``Registry.champion`` says whether it is the champion.

    Raises
    ------
    InputError
        Where there are too few customers or too short a history to learn from.
    """
    from .labelled.observed import archive_of

    archive = archive_of(config, ws, as_of, note)
    note("opening the tracking store")
    registry = Registry(config, ws)
    registry.store.end_killed()
    lineage = Lineage(archive)
    models: dict[str, Trained] = {task: _task(registry, lineage, task, note) for task in config.tasks}
    note("making the release")
    release = _release(registry, lineage, models)
    note("comparing it with the champion")
    decision = decide(registry, release, archive, models)
    if registry.promote(release, decision):
        note(f"{release.id} is the champion: {decision.reason}")
    else:
        note("kept back: the champion stays")
        carry(registry, release)
    champion = registry.incumbent()
    summarise(registry.store, release, models)
    keys: dict[str, str] = {task: lineage.key(task) for task in config.tasks}
    kept.prune(ws, keys, lambda task, key: registry.version_of(task, key) is not None)
    write_json(ws.metrics, (champion or release).manifest["metrics"])
    return release


def carry(registry: Registry, release: Release) -> Release | None:
    """See to it that the champion which a release was worse than can score; give what had to be promoted for that.

    One that a look back had set aside becomes the champion again. One whose features are of other code is released
    again for the features of this code.

    A champion scores only with the features that its manifest names. One that did better than a new release on features
    of the new code is good for them: the same versions go into a manifest that names them, which becomes the champion.

    Parameters
    ----------
    registry
        Holds the champion.
    release
        What was kept back; its features are those of this code, and hold all that the champion reads.
    """
    champion, incumbent = rival(registry, release), registry.incumbent()
    if champion is None or incumbent is None:
        return None
    features = release.manifest["features"]
    if champion.manifest["features"]["fingerprint"] == features["fingerprint"]:
        if champion.id == incumbent.id:
            return None
        registry.promote(champion, Decision(True, f"back after a look back: {release.id} did worse"))
        return champion
    manifest = {
        **champion.manifest,
        "key": fingerprint(champion.manifest["key"], features),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "features": features,
        "carried": champion.id,
    }
    with TaskRun(registry.store, "release", {"as_of": manifest["as_of"]}, search=False) as run:
        again = registry.release(manifest, run.id)
    registry.promote(
        again, Decision(True, f"the models of {champion.id}, for the features on which {release.id} did worse")
    )
    return again


def _task(registry: Registry, lineage: Lineage, task: str, note: Note) -> Trained:
    """A task's model, trained unless it was, registered unless it was."""
    key = lineage.key(task)
    trained = kept.find(registry.ws, task, key)
    if trained is not None and registry.version_of(task, key) is not None:
        return trained
    with TaskRun(registry.store, task, {**lineage.tags(task), "key": key}) as run:
        run.log(lineage.settings(task), {})
        run.data(registry.config.name, lineage.data(task), lineage.rows(task), len(lineage.columns))
        if trained is None:
            trained = _fit(registry, lineage.archive.of(task_of(task)), task, key, run, note)
        else:
            for trial in trained.result["trials"]:
                run.trial(**trial)
        note(f"{task}: registering")
        _describe(run, trained)
        _register(registry, lineage, trained, run.id)
    return trained


def _fit(registry: Registry, history: History, task: str, key: str, run: TaskRun, note: Note) -> Trained:
    from .fit import fit_task

    config, ws = registry.config, registry.ws
    storage = config.tuning.storage or f"sqlite:///{ws.studies.resolve().as_posix()}"
    warm = _warm(registry, task, history.latest.day)
    fitted = fit_task(task, history, config, storage=storage, tracker=run, note=note, warm=warm)
    features = history.latest.features
    predicted = fitted.predictor.predict(features.slice(0, 2))
    result = {
        "metrics": _block(fitted, history),
        "params": fitted.params,
        "chosen": fitted.chosen,
        "trials": run.trials,
        "inputs": logged.inputs_of(features, tuple(fitted.predictor.columns)),
        "outputs": logged.outputs_of(predicted),
    }
    return kept.keep(ws, fitted, key, result)


def _warm(registry: Registry, task: str, day: date) -> Members:
    """The members of the champion's model of a task, where it does not know the future of the day."""
    champion = registry.incumbent()
    if champion is None or champion.manifest["as_of"] > day.isoformat():
        return ()
    members: Mapping[str, Any] = champion.manifest["models"].get(task, {}).get("members", {})
    return tuple((cast("Learner", learner), params) for learner, params in members.items())


def _block(fitted: Fitted, history: History) -> dict[str, Any]:
    """The task's block of metrics.json."""
    return {
        "model": fitted.metrics,
        "baselines": fitted.baselines,
        "snapshot": fitted.snapshot.isoformat(),
        "n": fitted.n,
        "headline": _headline(fitted.task, fitted.metrics),
        "curves": fitted.curves,
        "horizon_days": history.horizon.days,
        "notes": list(fitted.notes),
        **fitted.more,
    }


def _describe(run: TaskRun, trained: Trained) -> None:
    """What the search came to, on its run."""
    block = trained.metrics
    chosen = {"chosen": trained.result["chosen"], **{f"chosen.{k}": v for k, v in trained.result["params"].items()}}
    text = "\n\n".join([f"Judged on the customers of {block['snapshot']} (n = {block['n']:,}).", *block["notes"]])
    run.log(chosen, flat_metrics(block["model"], block["baselines"]), text)
    run.figures(trained.figures())


def _register(registry: Registry, lineage: Lineage, trained: Trained, run_id: str) -> None:
    headline = _told(trained.metrics)
    tags = {f"custid.{name}": value for name, value in lineage.tags(trained.task).items()} | {"custid.run": run_id}
    tags |= {f"custid.metric.{n}": f"{v:.6g}" for n, v in flat_metrics(trained.metrics["model"], {}).items()}
    tags[HEADLINE_TAG] = headline
    about = f"{trained.task} as of {lineage.as_of}, chosen: {trained.result['chosen']}. {headline}"
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "model"
        parts = [path for path in (trained.model, trained.judged) if path.is_dir()]
        logged.save(folder, {p.name: p for p in parts}, trained.result["inputs"], trained.result["outputs"])
        registry.register(trained.task, folder, run_id, trained.key, tags, about)


def _release(registry: Registry, lineage: Lineage, models: Mapping[str, Trained]) -> Release:
    """The release of these models: found again if it was made, made otherwise."""
    config = registry.config
    rules = fingerprint_of_rules(config)
    key = fingerprint({task: trained.key for task, trained in models.items()}, rules, config.name)
    known = registry.release_of(key)
    if known is not None:
        return known
    manifest = {
        "name": config.name,
        "key": key,
        "as_of": lineage.as_of.isoformat(),
        "horizon_days": config.needs_horizon().days,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "models": {
            task: {
                **registry.registered(task, trained.key),
                "outputs": list(trained.result["outputs"]),
                "files": digests(trained.model),
                "judged": digests(trained.judged),
                "members": trained.result["params"].get("members", {}),
            }
            for task, trained in models.items()
        },
        "features": {
            "fingerprint": lineage.features,
            "tables": list(lineage.tables),
            "columns": list(lineage.columns),
            "attributes": dict(lineage.archive.attributes),
        },
        "rules": rules,
        "data": lineage.whole,
        "code": lineage.code,
        "drop": list(config.quality.drop),
        "quality": config.quality.model_dump(mode="json"),
        "currency": currency(config, registry.ws),
        "question": _question(config),
        "metrics": {task: trained.metrics for task, trained in models.items()},
    }
    with TaskRun(registry.store, "release", lineage.tags(), search=False) as run:
        return registry.release(manifest, run.id)


def _question(config: Config) -> dict[str, Any]:
    """What a release of this config is asked; a champion that was asked something else cannot stand in for it."""
    settings = config.model_dump(mode="json")
    names = ("horizon", "high_value", "currency")
    question = {name: settings[name] for name in names} | {
        "churn": config.churn_form,
        "drop": sorted(config.quality.drop),
        "tasks": sorted(config.tasks),
    }
    return question | ({"intent": settings["intent"]["horizon"]} if "intent" in config.tasks else {})


def _headline(task: str, metrics: Mapping[str, Any]) -> str | None:
    """The metric by which a task's model is compared first."""
    named = task_of(task).metrics
    return next(iter(named or metrics), None)


def _told(block: Mapping[str, Any]) -> str:
    """The headline metric in words."""
    found = block["model"].get(block["headline"])
    if not found or found["value"] is None:
        return "not judged"
    return f"{block['headline']} {found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"
