"""What there is in the registry, as tables to print: releases, versions, promotions, and two searches side by side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from . import promotions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .releases import Registry

CONFIG_TAG = "custid.config"
TASK_TAG = "custid.task"
SEARCH_TAG = "custid.search"
HEADLINE_TAG = "custid.headline"
_BESIDE = 2


@dataclass(frozen=True)
class Sheet:
    """A table: a title, the names of its columns, and rows of as many values."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


def overview(registry: Registry) -> list[Sheet]:
    """All tables that have rows."""
    sheets = [_releases(registry), _versions(registry), _promotions(registry)]
    if registry.store.exists:
        sheets += [_compared(task, searches(registry, task)) for task in registry.config.tasks]
    return [sheet for sheet in sheets if sheet.rows]


def searches(registry: Registry, task: str, most: int = _BESIDE) -> list[Any]:
    """The last finished searches of a task (MLflow's runs), oldest first, in whichever experiment they are."""
    client = registry.store.client
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    tags = {TASK_TAG: task, SEARCH_TAG: "yes", CONFIG_TAG: registry.config.name}
    query = " and ".join(f"tags.`{name}` = '{value}'" for name, value in tags.items())
    query += " and attributes.status = 'FINISHED'"
    found = client.search_runs(experiments, query, max_results=most, order_by=["start_time DESC"])
    return list(reversed(list(found)))


def _releases(registry: Registry) -> Sheet:
    champion = registry.champion()
    found = registry.releases()
    if champion is not None and champion.id not in {r.id for r in found}:
        found.append(champion)
    rows = []
    for release in found:
        models = ", ".join(f"{task} {m['version']}" for task, m in release.manifest["models"].items())
        is_champion = champion is not None and champion.id == release.id
        place = "champion" if is_champion else ""
        rows.append((release.id, place, release.manifest["as_of"], release.manifest["created"][:16], models))
    return Sheet("Releases", ("release", "", "as of", "made", "model versions"), tuple(rows))


def _versions(registry: Registry) -> Sheet:
    rows = tuple(
        (v.name, int(v.version), v.tags.get(HEADLINE_TAG, ""), v.tags.get("custid.as_of", ""), v.run_id)
        for versions in registry.models().values()
        for v in versions
    )
    return Sheet("Model versions", ("model", "version", "on the held-out snapshot", "as of", "run"), rows)


def _promotions(registry: Registry) -> Sheet:
    rows = tuple(
        (e["when"], e["who"], e["release"], "promoted" if e["promoted"] else "kept back", e["reason"])
        for e in promotions.history(registry.ws)
    )
    return Sheet("Promotions", ("when", "who", "release", "decision", "why"), rows)


def _compared(task: str, runs: Sequence[Any]) -> Sheet:
    """Settings, parameters and metrics of searches, a column for each; one row where any of them has a value."""
    columns = [_facts(run) for run in runs]
    names = list(dict.fromkeys(name for facts in columns for name in facts))
    rows = tuple((name, *(facts.get(name, "") for facts in columns)) for name in names)
    return Sheet(f"Searches: {task}", ("", *(run.info.run_name for run in runs)), rows)


def _facts(run: Any) -> dict[str, object]:
    started = datetime.fromtimestamp(run.info.start_time / 1000, UTC)
    facts: dict[str, object] = {"started": started.isoformat(sep=" ", timespec="seconds"), "run": run.info.run_id}
    facts |= {tag: run.data.tags[f"custid.{tag}"] for tag in ("as_of", "data") if f"custid.{tag}" in run.data.tags}
    facts |= dict(sorted(run.data.params.items()))
    for name, value in sorted(run.data.metrics.items()):
        if name.endswith(("_low", "_high")) or name.startswith("baseline."):
            continue
        low, high = run.data.metrics.get(f"{name}_low"), run.data.metrics.get(f"{name}_high")
        facts[name] = f"{value:.4g}" if low is None or high is None else f"{value:.4g} ({low:.4g} to {high:.4g})"
    return facts
