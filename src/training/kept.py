"""What training has finished: a folder per task, named for what it was made from, whole or not there at all.

    training/<task>/<key>/model/       the native files
    training/<task>/<key>/judged/      those of the predictor that was judged, which had not seen the outcomes
    training/<task>/<key>/figures/     plotly figures, as JSON
    training/<task>/<key>/result.json  metrics, parameters, trials, columns

A killed training finds the tasks that were finished here and does not train them again.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..registry.releases import JUDGED, MODEL
from ..workspace import discard, read_json, write_json, write_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..workspace import Workspace
    from .fitted import Fitted

_RESULT = "result.json"


@dataclass(frozen=True)
class Trained:
    """A task's model as it lies on disk.

    Attributes
    ----------
    task, key
        What was learnt, and the digest of all that it was made from.
    folder
        Where it lies.
    result
        ``metrics`` (the task's block of metrics.json), ``params``, ``chosen``, ``trials``, and the model's ``inputs``
        and ``outputs`` as {name: type}.
    """

    task: str
    key: str
    folder: Path
    result: dict[str, Any]

    @property
    def model(self) -> Path:
        """The folder of native files."""
        return self.folder / MODEL

    @property
    def judged(self) -> Path:
        """The folder of the predictor that was judged; not there where nothing could be held out."""
        return self.folder / JUDGED

    @property
    def metrics(self) -> dict[str, Any]:
        """The task's block of metrics.json."""
        return dict(self.result["metrics"])

    def figures(self) -> dict[str, str]:
        """The figures, as JSON, by name."""
        paths = sorted((self.folder / "figures").glob("*.json"))
        return {path.stem: path.read_text(encoding="utf-8") for path in paths}


def find(ws: Workspace, task: str, key: str) -> Trained | None:
    """What was made of a task from just this, if it was finished."""
    folder = ws.trained / task / key
    result = read_json(folder / _RESULT)
    return Trained(task, key, folder, result) if result is not None else None


def keep(ws: Workspace, fitted: Fitted, key: str, result: Mapping[str, Any]) -> Trained:
    """Write a finished task down, whole or not at all."""
    home = ws.trained / fitted.task
    home.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=home))
    try:
        fitted.predictor.save(draft / MODEL)
        if fitted.judged is not None:
            fitted.judged.save(draft / JUDGED)
        for name, figure in fitted.figures.items():
            write_text(draft / "figures" / f"{name}.json", figure.to_json())
        write_json(draft / _RESULT, result)
        discard(home / key)
        draft.replace(home / key)
    finally:
        discard(draft)
    return Trained(fitted.task, key, home / key, dict(result))


def prune(ws: Workspace, keys: Mapping[str, str], registered: Callable[[str, str], bool]) -> None:
    """Forget what a kill has left behind, and what was made from other data or settings unless it is registered.

    What is registered is found again when its data come back: made anew, it would begin at another champion and differ.
    """
    for task, key in keys.items():
        for folder in (ws.trained / task).glob("*"):
            if folder.name != key and (folder.name.startswith(".") or not registered(task, folder.name)):
                discard(folder)
