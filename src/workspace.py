"""Where a run's tables and artefacts lie, and how they are written.

Every file is written beside its place and moved into it, so a run that is killed leaves either the old or the new
file. One run at a time holds the workspace's lock.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .errors import CustidError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    import pyarrow as pa


@dataclass(frozen=True)
class Workspace:
    """The folder of a run. Its paths are a contract: other programs rely on them.

    Examples
    --------
    >>> from pathlib import Path
    >>> Workspace(Path("data/shop")).scores.as_posix()
    'data/shop/scores.parquet'
    """

    root: Path

    @property
    def quality(self) -> Path:
        """Per source: rows, accepted, quarantined, flagged, with reasons."""
        return self.root / "quality.json"

    @property
    def quarantine(self) -> Path:
        """The folder of refused rows, a Parquet file per source."""
        return self.root / "quarantine"

    @property
    def identity(self) -> Path:
        """source, record_id, customer_id, method, probability."""
        return self.root / "identity.parquet"

    @property
    def features(self) -> Path:
        """The rows that are scored: customer_id, as_of, features."""
        return self.root / "features.parquet"

    @property
    def scores(self) -> Path:
        """customer_id, as_of, release and the columns of the tasks that ran."""
        return self.root / "scores.parquet"

    @property
    def kept_features(self) -> Path:
        """What the features were made of, by which a later day's are made of the new rows alone."""
        return self.root / "features.kept"

    @property
    def prospect_features(self) -> Path:
        """The rows of those who have not bought yet: customer_id, as_of, features."""
        return self.root / "prospect_features.parquet"

    @property
    def prospects(self) -> Path:
        """Who may buy for the first time: their chance, what it would bring, and why."""
        return self.root / "prospects.parquet"

    @property
    def profiles(self) -> Path:
        """Scores with tier, lifecycle, reasons and next action."""
        return self.root / "profiles.parquet"

    @property
    def profiles_db(self) -> Path:
        """The profiles as the service reads them (SQLite, WAL)."""
        return self.root / "profiles.db"

    @property
    def metrics(self) -> Path:
        """What the models and the baselines scored on the last labelled snapshots."""
        return self.root / "metrics.json"

    @property
    def report(self) -> Path:
        """One self-contained page."""
        return self.root / "report.html"

    @property
    def state(self) -> Path:
        """What each stage was made from, so that an unchanged stage is not run again."""
        return self.root / "state.json"

    @property
    def studies(self) -> Path:
        """The searches of the hyper-parameters (SQLite)."""
        return self.root / "optuna.db"

    @property
    def mlflow_db(self) -> Path:
        """MLflow's store, unless another tracking server is named."""
        return self.root / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        """MLflow's artefacts, unless another tracking server is named."""
        return self.root / "artifacts"

    @property
    def releases(self) -> Path:
        """Local copies of releases, each whole and checked, and which of them was the champion when last asked."""
        return self.root / "releases"

    @property
    def promotions(self) -> Path:
        """Who made which release the champion, when and why: JSON lines, only added to."""
        return self.root / "promotions.jsonl"

    @property
    def trained(self) -> Path:
        """What training has finished, per task, so that a killed training goes on where it stopped."""
        return self.root / "training"

    @property
    def backtest(self) -> Path:
        """What the models of earlier days scored on what came after, by origin and pooled."""
        return self.root / "backtest.json"

    @property
    def backtest_page(self) -> Path:
        """The same as one self-contained page."""
        return self.root / "backtest.html"

    @property
    def origins(self) -> Path:
        """What a backtest has finished, per origin and task, so that a killed one goes on where it stopped."""
        return self.root / "backtest"

    def table(self, name: str) -> Path:
        """A canonical table: the rows that were known before ``as_of``."""
        return self.root / "tables" / f"{name}.parquet"

    def later(self, name: str) -> Path:
        """The rows of a canonical table at or after ``as_of``: for looking back only, never for a model."""
        return self.root / "tables" / "later" / f"{name}.parquet"

    def refused(self, source: str) -> Path:
        """The quarantined rows of a source."""
        return self.quarantine / f"{quote(source, safe=' ')}.parquet"

    def snapshot(self, day: date, who: str = "customers") -> Path:
        """The features of a training snapshot, of customers or of prospects."""
        name = "features.parquet" if who == "customers" else f"{who}.parquet"
        return self.root / "snapshots" / f"as_of={day.isoformat()}" / name

    def purchase_days(self, day: date) -> Path:
        """When the customers of a training snapshot had bought by then."""
        return self.snapshot(day).with_name("purchase_days.parquet")

    def scores_of(self, day: date) -> Path:
        """The scores of one as-of date, kept when later ones are made."""
        return self.root / "scores" / f"as_of={day.isoformat()}" / "scores.parquet"

    def prospects_of(self, day: date) -> Path:
        """The prospects of one as-of date, kept when later ones are made."""
        return self.scores_of(day).with_name("prospects.parquet")

    def tables(self) -> list[str]:
        """Names of the canonical tables that were ingested."""
        return sorted(p.stem for p in (self.root / "tables").glob("*.parquet"))

    @property
    def tracking_uri(self) -> str:
        """Where MLflow keeps its runs, unless the config or the environment names another place."""
        return f"sqlite:///{self.mlflow_db.resolve().as_posix()}"

    def create(self) -> Workspace:
        """Make the folder, or say why it cannot be made or written to."""
        probe = self.root / ".writable"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            probe.touch()
            probe.unlink()
        except OSError as error:
            reason = error.strerror or str(error)
            raise InputError(
                f"workspace: {str(self.root)!r} cannot be written to ({reason}); expected a folder that can."
            ) from error
        return self

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the workspace for one run; a second run is told so instead of mixing its files in.

        The lock is the operating system's: it goes when the process goes, however it ends. Drafts that a killed run has
        left are swept away.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.root / ".lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise InputError(
                f"workspace: {str(self.root)!r} is in use by another custid run; wait for it to end."
            ) from None
        try:
            for left in [*self.root.glob(".*.draft"), *(self.root / "snapshots").glob("*/.*.draft")]:
                left.unlink()
            yield
        finally:
            lock.release()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to; moved over ``path`` when the block ends, forgotten when it fails.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> target = pathlib.Path(tempfile.mkdtemp()) / "a.txt"
    >>> with replacing(target) as draft:
    ...     _ = draft.write_text("whole")
    >>> target.read_text()
    'whole'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        yield draft
        if not draft.exists():
            raise CustidError(f"{path.name}: nothing was written.")
        with draft.open("rb") as handle:
            os.fsync(handle.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file whole or not at all, in a form that people can read."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, default=str, allow_nan=False) + "\n")


def read_json(path: Path, default: Any = None) -> Any:
    """The content of a JSON file, or ``default`` where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else default


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a Parquet file whole or not at all; equal tables give equal bytes."""
    import pyarrow.parquet as pq

    with replacing(path) as draft:
        pq.write_table(table, draft, compression="zstd")


def fingerprint(*parts: object) -> str:
    """A short stable digest of values that are, or print as, JSON.

    >>> fingerprint({"b": 1, "a": 2}) == fingerprint({"a": 2, "b": 1})
    True
    """
    text = json.dumps(parts, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def digest(path: Path) -> str:
    """A digest of a file's bytes, or of all files below a folder."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    state = hashlib.sha256()
    for file in files:
        state.update(file.relative_to(path.parent).as_posix().encode())
        with file.open("rb") as handle:
            state.update(hashlib.file_digest(handle, "sha256").digest())
    return state.hexdigest()[:24]


def discard(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


Note = Callable[[str], None]
"""How a stage tells what it is doing; the command line turns it into progress."""


def silent(_: str) -> None:
    """Tell nobody."""
