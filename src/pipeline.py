"""The order of the stages, and which of them are up to date.

A stage is made from settings, files and code. What it was made from is kept, as a key, in ``state.json``; a stage
whose key is unchanged and whose files are as it left them is not run again. Keys look at what a file contains, so a
stage that is made again and comes out the same starts nothing below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import CustidError
from .workspace import Note, Workspace, digest, fingerprint, read_json, silent, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    from .config import Config

STAGES = ("ingest", "resolve", "features", "train", "score", "profile", "report")
_ROOT = Path(__file__).parent


@dataclass(frozen=True)
class Outcome:
    """What a run did: the stages that ran, those that were up to date, and the day it stands on."""

    ran: tuple[str, ...]
    skipped: tuple[str, ...]
    as_of: date
    release: str | None


def run(
    config: Config,
    until: str = "report",
    *,
    train: bool = True,
    show: Callable[[str], AbstractContextManager[Note]] | None = None,
) -> Outcome:
    """Run the stages up to and including ``until``, leaving out those that are up to date.

    Parameters
    ----------
    config
        The settings.
    until
        The last stage.
    train
        Whether the stage train may run. Without it, the champion is used as it is.
    show
        Opens the progress of one stage by its name; yields the stage's ``note``.

    Raises
    ------
    InputError
        Where the config or the data cannot be used.
    """
    workspace = Workspace(config.workspace).create()
    with workspace.lock():
        state = _State(workspace, config)
        ran, skipped = [], []
        for name in STAGES[: STAGES.index(until) + 1]:
            if name == "features":
                config.needs_horizon()
                state.settle()
            if name == "train" and not train:
                continue
            key = state.key(name)
            if state.is_current(name, key):
                skipped.append(name)
                continue
            state.forget(name)
            if show is None:
                state.make(name, silent)
            else:
                with show(name) as note:
                    state.make(name, note)
            state.remember(name, key)
            ran.append(name)
        return Outcome(tuple(ran), tuple(skipped), state.as_of(), state.release())


class _State:
    """``state.json``: the key of each stage, and what its files looked like when it ended."""

    def __init__(self, workspace: Workspace, config: Config) -> None:
        self.workspace = workspace
        self.config = config
        self.kept: dict[str, Any] = read_json(workspace.state, {})
        self.kept.setdefault("stages", {})
        self.kept.setdefault("files", {})

    def as_of(self) -> date:
        return date.fromisoformat(self.kept["as_of"])

    def release(self) -> str | None:
        """The champion's id. MLflow is asked only when its store has changed."""
        store = self.workspace.mlflow_db
        look = _look(store) if store.exists() and self._embedded() else None
        known = self.kept.get("champion")
        if look is not None and known and known["store"] == look:
            return str(known["release"]) if known["release"] else None
        from .registry import Registry

        champion = Registry(self.config, self.workspace).champion()
        release = champion.id if champion else None
        if store.exists() and self._embedded():
            self.kept["champion"] = {"store": _look(store), "release": release}
            write_json(self.workspace.state, self.kept)
        return release

    def _embedded(self) -> bool:
        from .registry import tracking_uri

        return tracking_uri(self.config, self.workspace) == self.workspace.tracking_uri

    def digest(self, path: Path) -> str:
        """The digest of a file, read again only when its size or time has changed."""
        if not path.exists():
            return ""
        key, look = path.as_posix(), _look(path)
        known = self.kept["files"].get(key)
        if known is None or known[:2] != look:
            known = [*look, digest(path)]
            self.kept["files"][key] = known
        return str(known[2])

    def source(self, source: Any) -> str:
        """What a source holds; files are read again only when their size or time has changed."""
        path = Path(source.uri)
        if path.is_file():
            return self.digest(path)
        from .ingest.read import fingerprint_of

        return fingerprint_of(source)

    def outputs(self, name: str) -> list[Path]:
        """The files that a stage leaves."""
        w = self.workspace
        tables = [path for t in w.tables() for path in (w.table(t), w.later(t)) if path.exists()]
        return {
            "ingest": [w.quality, *tables, *sorted(w.quarantine.glob("*.parquet"))],
            "resolve": [w.identity],
            "features": [w.features, w.prospect_features],
            "train": [w.metrics],
            "score": [w.scores, w.scores_of(self.as_of()), w.prospects, w.prospects_of(self.as_of())],
            "profile": [w.profiles, w.profiles_db],
            "report": [w.report],
        }[name]

    def key(self, name: str) -> str:
        """All that a stage is made from, in one digest."""
        c = self.config.model_dump(mode="json", exclude={"workspace"})
        tables = [(t, self.digest(self.workspace.table(t))) for t in self.workspace.tables()]
        data = [tables, self.digest(self.workspace.identity), self.kept.get("as_of")]
        predict = ["name", "horizon", "tasks", "high_value", "clv", "churn", "intent", "segments", "uplift", "training"]
        predict += ["tuning", "seed", "engine", "identity", "mlflow"]
        parts: dict[str, Callable[[], list[Any]]] = {
            "ingest": lambda: [
                _some(c, ["sources", "quality", "currency", "as_of"]),
                [self.source(s) for s in self.config.sources],
            ],
            "resolve": lambda: [data[0], data[2], c["identity"], [s["name"] for s in c["sources"]]],
            "features": lambda: [data, c["quality"]["drop"], c["engine"], c["features"], "prospects" in c["tasks"]],
            "train": lambda: [
                data,
                c["quality"]["drop"],
                c["explain"]["background"],
                _some(c, predict),
                _code("features", "identity"),
            ],
            "score": lambda: [
                self.digest(self.workspace.features),
                self.digest(self.workspace.prospect_features),
                self.release(),
                c["explain"],
                _code("models", "features", "explain.py"),
            ],
            "profile": lambda: [
                self.digest(self.workspace.scores),
                self.digest(self.workspace.features),
                _some(c, ["tiers", "lifecycle", "actions", "explain", "horizon"]),
                _code("explain.py", "models"),
            ],
            "report": lambda: [
                self.digest(self.workspace.profiles),
                self.digest(self.workspace.prospects),
                self.digest(self.workspace.metrics),
                self.digest(self.workspace.quality),
                _some(c, ["name", "horizon", "tasks", "clv", "high_value", "churn", "intent", "mlflow", "seed"]),
                _some(c, ["tiers", "lifecycle", "actions", "explain", "currency", "quality"]),
            ],
        }
        return fingerprint(name, parts[name](), _code(*_CODE[name]))

    def settle(self) -> None:
        """Leave out tasks that the config does not name and the tables cannot answer."""
        from .training.labelled.observed import answerable

        self.config = answerable(self.config, self.workspace)

    def is_current(self, name: str, key: str) -> bool:
        """Whether a stage was made from just this, and its files are as it left them."""
        known = self.kept["stages"].get(name)
        return bool(known) and known["key"] == key and known["files"] == self._looks(name)

    def _looks(self, name: str) -> dict[str, Any]:
        root = self.workspace.root
        return {p.relative_to(root).as_posix(): self._left(p) for p in self.outputs(name)}

    @staticmethod
    def _left(path: Path) -> list[int] | bool:
        """How a file was left; of a database only that it is there, since reading may touch it."""
        there = path.exists()
        return _look(path) if there and path.suffix != ".db" else there

    def forget(self, name: str) -> None:
        self.kept["stages"].pop(name, None)
        write_json(self.workspace.state, self.kept)

    def remember(self, name: str, key: str) -> None:
        self.kept["stages"][name] = {"key": key, "files": self._looks(name)}
        write_json(self.workspace.state, self.kept)

    def make(self, name: str, note: Note) -> None:
        """Run one stage."""
        config, workspace = self.config, self.workspace
        if name == "ingest":
            from .ingest.stage import ingest

            self.kept["as_of"] = ingest(config, workspace, note).isoformat()
            return
        if name == "resolve":
            from .identity.stage import resolve

            resolve(config, workspace, note)
        elif name == "features":
            from .features.stage import make

            make(config, workspace, self.as_of(), note)
        elif name == "train":
            from .training.stage import train

            train(config, workspace, self.as_of(), note)
        elif name == "score":
            from .serving.score import score

            score(config, workspace, self.as_of(), note)
        elif name == "profile":
            from .profiles.stage import profile
            from .serving.store import publish

            profile(config, workspace, note)
            publish(workspace)
        elif name == "report":
            from .report.stage import report

            report(config, workspace, note)
        else:
            raise CustidError(f"{name}: there is no such stage.")


_CODE: dict[str, Sequence[str]] = {
    "ingest": ("ingest", "tables.py"),
    "resolve": ("identity", "tables.py"),
    "features": ("features", "asof.py"),
    "train": ("models", "training", "metrics", "asof.py"),
    "score": ("serving/score.py", "serving/prospects.py"),
    "profile": ("profiles",),
    "report": ("report",),
}


def _code(*places: str) -> list[str]:
    """Digests of parts of custid's own code: a stage whose code has changed is made again."""
    return [fingerprint([(p.name, p.read_text(encoding="utf-8")) for p in _files(_ROOT / place)]) for place in places]


def _files(place: Path) -> Iterable[Path]:
    return [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.suffix in {".py", ".html", ".css"})


def _some(settings: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: settings[key] for key in keys}


def _look(path: Path) -> list[int]:
    """Size and time of a file: enough to see that nobody has touched it."""
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]
