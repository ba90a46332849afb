"""A backtest in MLflow: a parent run with the pooled figures, and a run nested in it for each origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..training.track import TaskRun, flat_metrics

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..config import Config


def log(run: TaskRun, config: Config, result: Mapping[str, Any], files: tuple[Path, ...]) -> None:
    """Keep a finished backtest: ``<task>.<metric>`` with the ends of its interval, beside each baseline's.

    The parent has the pooled figures, ``<task>.ahead_of.<baseline>`` (the difference by the headline metric), the
    verdicts as its text, and the files; a nested run has the figures of one origin and what was chosen on it.
    """
    for origin in result["origins"]:
        there = {task: told["origins"][origin] for task, told in result["tasks"].items() if origin in told["origins"]}
        with TaskRun(run.store, "origin", {"as_of": origin}, search=False, parent=run.id) as nested:
            figures = {task: _figures(block, result["tasks"][task]["headline"]) for task, block in there.items()}
            nested.log({f"{task}.chosen": block["chosen"] for task, block in there.items()}, _named(figures))
    settings = config.model_dump(mode="json", include={"backtest", "training", "horizon", "seed", "tasks"})
    figures = {task: _figures(told["pooled"], told["headline"]) for task, told in result["tasks"].items()}
    text = "\n\n".join(f"{task}: {told['verdict']['sentence']}" for task, told in result["tasks"].items())
    run.log({**settings, "origins": result["origins"]}, _named(figures), text)
    for path in files:
        run.store.client.log_artifact(run.id, str(path))


def _figures(block: Mapping[str, Any], headline: str) -> dict[str, float]:
    gaps = {f"ahead_of.{who}": gap[headline] for who, gap in block["differences"].items() if headline in gap}
    return flat_metrics(block["model"], block["baselines"]) | flat_metrics(gaps, {})


def _named(figures: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {f"{task}.{name}": value for task, found in figures.items() for name, value in found.items()}
