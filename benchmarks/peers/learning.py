"""What the peers that learn have in common; imported in their environments, so it needs pandas alone."""

import json
import sys
from pathlib import Path

import pandas as pd

FOLDER, BUDGET = Path(sys.argv[1]), float(sys.argv[2])
TARGETS = {"p_churn": "churned", "expected_value": "spend", "p_high_value": "high_value"}


def learn(name, predict, version):
    """Give one target after the other to ``predict(rows, target, scored)``, and write what was said.

    Where the labels look less far ahead than is asked, the spend is scaled up in proportion.
    """
    question = json.loads((FOLDER / "question.json").read_text())
    learnt, scored = (
        pd.read_csv(FOLDER / f"{part}.csv", dtype={"customer_id": str}).set_index("customer_id")
        for part in ("learn", "score")
    )
    rows = learnt[scored.columns]
    said = pd.DataFrame({output: predict(rows, learnt[label], scored) for output, label in TARGETS.items()})
    said.index = scored.index
    said["expected_value"] *= question["days"] / question["learnt_days"]
    said.to_csv(FOLDER / f"said_{name}.csv")
    print(json.dumps({"version": version}))
