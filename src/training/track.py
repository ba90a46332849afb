"""Searches in MLflow: a parent run per task, a nested run per trial, and all that a later reader needs to compare them.

The parent run says what was learnt from (data fingerprint, as-of date, horizon, features), by which code, with which
settings; it gets the chosen parameters, the metrics with their intervals, the baselines' metrics, and the figures.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
import time
from importlib.metadata import version
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..registry.client import WORKSPACE_TAG, quieted
from ..registry.overview import CONFIG_TAG, SEARCH_TAG, TASK_TAG

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from ..registry import Release, Store
    from .kept import Trained

_LONGEST = 500  # of a parameter's or a tag's value: what every tracking server takes
_BATCH = 100  # parameters or tags in one request


class TaskRun:
    """The run of one task's search; a :class:`~custid.training.tune.Tracker`.

    A context manager: the run ends FINISHED, KILLED when it is interrupted, or FAILED.

    Parameters
    ----------
    store
        Where it is kept.
    task
        What is learnt.
    tags
        What it is learnt from; shown as ``custid.<name>``.
    search
        Whether it is a search of a task, rather than the record of a release.
    parent
        The id of the run that it is nested in; the one of `mlflow run` by default, where there is one.

    Attributes
    ----------
    id
        The run's id in MLflow.
    trials
        What the trials were, in the order in which they were told.
    """

    def __init__(
        self, store: Store, task: str, tags: Mapping[str, object], *, search: bool = True, parent: str | None = None
    ) -> None:
        self.store = store
        self.trials: list[dict[str, Any]] = []
        about = {f"custid.{name}": _short(value) for name, value in tags.items()}
        about |= {CONFIG_TAG: store.config.name, TASK_TAG: task, WORKSPACE_TAG: store.owner}
        about |= {SEARCH_TAG: "yes"} if search else {}
        about |= {"mlflow.source.name": "custid", "mlflow.source.type": "LOCAL"}
        if parent is None and store.parent is not None:
            parent = str(store.parent.info.run_id)
        about |= {"mlflow.parentRunId": parent} if parent else {}
        self._own = {WORKSPACE_TAG: store.owner, TASK_TAG: task}
        run = store.client.create_run(store.experiment, tags=about, run_name=f"{task} {tags.get('as_of', '')}".strip())
        self.id = str(run.info.run_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        status = "FINISHED" if kind is None else "FAILED" if issubclass(kind, Exception) else "KILLED"
        self.store.client.set_terminated(self.id, status)

    def trial(self, number: int, params: Mapping[str, Any], metrics: Mapping[str, Any], state: str) -> None:
        """Write down a finished trial as a nested run.

        Parameters
        ----------
        number
            The trial's number in its search.
        params
            The drawn parameters.
        metrics
            What it reached, in all and per fold; values that are no finite numbers are left out.
        state
            How it ended: COMPLETE, PRUNED or FAIL.
        """
        self.trials.append({"number": number, "params": dict(params), "metrics": dict(metrics), "state": state})
        tags = {**self._own, "mlflow.parentRunId": self.id, "custid.trial": str(number), "custid.state": state}
        client = self.store.client
        run = client.create_run(self.store.experiment, tags=tags, run_name=f"trial {number}")
        _log(client, run.info.run_id, params, metrics)
        client.set_terminated(run.info.run_id, "FAILED" if state == "FAIL" else "FINISHED")

    def log(self, params: Mapping[str, Any], metrics: Mapping[str, Any], text: str = "") -> None:
        """Add parameters and metrics to the run, and a text that MLflow shows above them."""
        _log(self.store.client, self.id, params, metrics)
        if text:
            self.store.client.set_tag(self.id, "mlflow.note.content", text)

    def data(self, name: str, digest: str, rows: int, columns: int) -> None:
        """Name the data that was learnt from, as MLflow's page shows data sets."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        profile = json.dumps({"num_rows": rows, "num_columns": columns})
        dataset = Dataset(name, digest, "custid", json.dumps({"workspace": self.store.owner}), profile=profile)
        self.store.client.log_inputs(self.id, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])])

    def figures(self, figures: Mapping[str, str]) -> None:
        """Keep figures (plotly, as JSON): one page that needs no network, and each figure's data."""
        if not figures:
            return
        self.store.client.log_text(self.id, page(figures), "figures.html")
        for name, figure in figures.items():
            self.store.client.log_text(self.id, figure, f"figures/{_name(name)}.json")


def summarise(store: Store, release: Release, models: Mapping[str, Trained]) -> None:
    """Tell the run of `mlflow run`, where there is one, what came out: the release, and ``<task>.<metric>``."""
    if store.parent is None:
        return
    run_id = store.parent.info.run_id
    store.client.set_tag(run_id, "custid.release", release.id)
    for task, trained in models.items():
        reached = flat_metrics(trained.metrics["model"], {})
        _log(store.client, run_id, {}, {f"{task}.{name}": value for name, value in reached.items()})


def page(figures: Mapping[str, str]) -> str:
    """One HTML page of several figures, with the drawing library in it once."""
    import plotly.io as pio

    parts = []
    for number, (name, figure) in enumerate(figures.items()):
        drawn = pio.from_json(figure).to_html(full_html=False, include_plotlyjs=number == 0, div_id=_name(name))
        parts.append(f"<section>{drawn}</section>")
    return '<!doctype html>\n<html><head><meta charset="utf-8"></head><body>' + "\n".join(parts) + "</body></html>\n"


def flat_metrics(model: Mapping[str, Any], baselines: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
    """Metrics as MLflow takes them: ``auc``, ``auc_low``, ``auc_high``, ``baseline.recency.auc``.

    >>> flat_metrics({"auc": {"value": 0.8, "low": 0.7, "high": 0.9}}, {"rfm": {"auc": {"value": 0.75}}})
    {'auc': 0.8, 'auc_low': 0.7, 'auc_high': 0.9, 'baseline.rfm.auc': 0.75}
    """
    found = {}
    for prefix, metrics in [("", model), *((f"baseline.{name}.", block) for name, block in baselines.items())]:
        for name, metric in metrics.items():
            parts = metric if isinstance(metric, dict) else {"value": metric}
            for part, suffix in (("value", ""), ("low", "_low"), ("high", "_high")):
                if _finite(parts.get(part)):
                    found[f"{prefix}{name}{suffix}"] = float(parts[part])
    return found


def code_version() -> str:
    """Which code this is: the package's version and, in a checkout, git's commit."""
    known = version("custid")
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return known
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--exclude=*"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):  # git is not there, or does not answer
        return known
    return f"{known}+{done.stdout.strip()}" if done.returncode == 0 and done.stdout.strip() else known


def _log(client: Any, run_id: str, params: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
    with quieted():
        from mlflow.entities import Metric, Param
    now = time.time_ns() // 1_000_000
    drawn = [Param(_name(name), _short(value)) for name, value in _flat(params).items()]
    reached = [Metric(_name(name), float(value), now, 0) for name, value in metrics.items() if _finite(value)]
    for start in range(0, max(len(drawn), len(reached), 1), _BATCH):
        client.log_batch(run_id, params=drawn[start : start + _BATCH], metrics=reached[start : start + _BATCH])


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def _finite(value: Any) -> bool:
    return isinstance(value, Real) and math.isfinite(value)


def _name(name: str) -> str:
    """A name that MLflow takes: ``capture@10%`` becomes ``capture_at_10``."""
    return re.sub(r"[^\w\-. /]", "", name.replace("@", "_at_"))


def _short(value: object) -> str:
    text = json.dumps(value, default=str) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
