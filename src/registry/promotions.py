"""The promotion log: who made which release the champion, when, why, and on which figures. Lines are only added."""

from __future__ import annotations

import getpass
import json
import os
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..workspace import Workspace


@dataclass(frozen=True)
class Decision:
    """Whether a release becomes champion, and why.

    ``figures`` holds, per task and metric, what the release and the champion reached on the same customers, the
    difference and its interval. ``looks_back`` says that the champion before is only set aside: it knows the future of
    the release's day.
    """

    promoted: bool
    reason: str
    figures: dict[str, Any] = field(default_factory=dict)
    looks_back: bool = False


def record(ws: Workspace, release: str, replaced: str | None, data: str, decision: Decision) -> None:
    """Add a decision to the log; one that the last line already holds is not written twice."""
    entry = {"release": release, "replaced": replaced, "data": data, **asdict(decision)}
    known = history(ws)
    if known and {key: known[-1].get(key) for key in entry} == json.loads(json.dumps(entry)):
        return
    torn = ws.promotions.exists() and not ws.promotions.read_bytes().endswith(b"\n")
    line = {"when": datetime.now(UTC).isoformat(timespec="seconds"), "who": _who(), **entry}
    ws.promotions.parent.mkdir(parents=True, exist_ok=True)
    with ws.promotions.open("a", encoding="utf-8", newline="\n") as handle:
        handle.write(("\n" if torn else "") + json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n")
        handle.flush()
        os.fsync(handle.fileno())


def history(ws: Workspace) -> list[dict[str, Any]]:
    """All decisions, oldest first. A line that a kill has cut short counts for nothing."""
    if not ws.promotions.exists():
        return []
    entries = []
    for line in ws.promotions.read_text(encoding="utf-8").splitlines():
        try:
            entries.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return entries


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a process without an account
        return "unknown"
