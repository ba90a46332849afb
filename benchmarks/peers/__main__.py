"""custid beside its peers, each in an environment of its own, on public data sets, in one run.

    python benchmarks/peers                                       two cases, every peer, 30 seconds a target
    python benchmarks/peers --peers lifetimes xgboost --cases cdnow_1997_07
    python benchmarks/peers --cases all --budget 60 --write docs/benchmarks.md

The environments are made when they are first needed, in data/benchmarks/peers, and kept. A peer that cannot be
installed or fails is left out, and the table says why. The data sets are those of data/README.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import cases
import columns
import judging
import programs
import told

if TYPE_CHECKING:
    import pandas as pd


def main() -> int:
    options = _asked()
    lines: list[str] = []
    versions: dict[str, str] = {}
    left_out: list[str] = []
    for name in list(cases.CASES) if options.cases == ["all"] else options.cases:
        case = cases.CASES[name]
        path = cases.find(case.data, options.data)
        if path is None:
            left_out.append(
                f"{name} is left out: {cases.FILES[case.data]} is not there; data/README.md says how to fetch it."
            )
            continue
        lines += _case(cases.split(case, path), options, versions, left_out)
    lines = told.head(versions, options.budget, left_out) + lines
    print("\n".join(lines))
    if options.write and versions:
        told.write(options.write, lines)
    return 0


def _case(split: cases.Split, options: argparse.Namespace, versions: dict[str, str], left_out: list[str]) -> list[str]:
    """One case: everyone is asked, then judged. What is left out of it goes into ``left_out``."""
    name, notes = split.case.name, []
    scores, seconds = _ask(split, options, versions, notes)
    lines: list[str] = []
    if judging.OURS in scores:
        truth = cases.truth(split.past, split.future)
        scores = {system: _complete(system, said.reindex(truth.index), notes) for system, said in scores.items()}
        found = judging.standings(truth, scores, options.resamples, 7)
        lines = told.section(split.case, truth, scores, found, seconds)
    left_out += [f"{name}: {note}" for note in notes]
    return lines


def _ask(
    split: cases.Split, options: argparse.Namespace, versions: dict[str, str], notes: list[str]
) -> tuple[dict[str, pd.DataFrame], dict[str, float]]:
    """What every system says, and the CPU seconds of each program."""
    learn, scored, days = columns.tables(split)
    scores = columns.rules(scored, split.case.days)
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        learn.to_csv(folder / "learn.csv")
        scored.to_csv(folder / "score.csv")
        (folder / "question.json").write_text(json.dumps({"days": split.case.days, "learnt_days": days}))
        for program in (judging.OURS, *options.peers):
            print(f"{split.case.name}: {program}", file=sys.stderr, flush=True)
            try:
                if program == judging.OURS:
                    answer = programs.ask_custid(split, folder, options.trials)
                else:
                    answer = programs.ask_peer(program, folder, options.budget)
            except programs.UnavailableError as error:
                notes.append(f"{program} is left out: {error}.")
                continue
            versions[program] = answer.version
            scores |= answer.scores
            seconds |= dict.fromkeys(answer.scores, answer.seconds)
    return scores, seconds


def _complete(system: str, said: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """The scores, where one is missing the mean chance of leaving and no spend."""
    missing = int(said.isna().any(axis=1).sum())
    if missing:
        notes.append(f"{told.NAMES[system]} gave {missing} customers no score: the mean chance and no spend are taken.")
    return said.fillna({"p_churn": said.p_churn.mean(), "expected_value": 0.0, "p_high_value": 0.0})


def _asked() -> argparse.Namespace:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--peers", nargs="*", choices=programs.PEERS, default=programs.PEERS, help="all by default")
    known = [*cases.CASES, "all"]
    asked.add_argument("--cases", nargs="+", choices=known, default=list(cases.USUAL), help="questions, or all of them")
    asked.add_argument("--budget", type=float, default=30, metavar="SECONDS", help="for FLAML and AutoGluon, a target")
    asked.add_argument("--trials", type=int, help="custid's trials a task; its default without")
    asked.add_argument("--data", type=Path, metavar="DIR", help="where the data sets lie")
    asked.add_argument("--resamples", type=int, default=500, help="of the bootstrap")
    asked.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page, too")
    return asked.parse_args()


if __name__ == "__main__":
    sys.exit(main())
