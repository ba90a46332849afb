from __future__ import annotations

from custid.training.kept import prune
from custid.workspace import Workspace


def test_what_is_registered_stays_to_be_found_again(tmp_path):
    ws = Workspace(tmp_path)
    for name in ("now", "before", "never", ".draft-1"):
        (ws.trained / "churn" / name).mkdir(parents=True)
    prune(ws, {"churn": "now"}, lambda task, key: (task, key) == ("churn", "before"))
    assert {folder.name for folder in (ws.trained / "churn").iterdir()} == {"now", "before"}
