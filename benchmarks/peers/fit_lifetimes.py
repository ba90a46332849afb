"""lifetimes: BG/NBD and Pareto/NBD with Gamma-Gamma. In its own environment: python fit_lifetimes.py FOLDER BUDGET."""

import json
import sys
from pathlib import Path

import lifetimes
import numpy as np
import pandas as pd
from scipy.stats import gamma


def main():
    folder = Path(sys.argv[1])
    days = json.loads((folder / "question.json").read_text())["days"]
    rows = pd.read_csv(folder / "score.csv", dtype={"customer_id": str}).set_index("customer_id")
    unit = rows["T"].max() / 40  # the optimiser wants small numbers
    counted = rows[["frequency", "recency", "T", "monetary"]].to_numpy().T
    x, recency, age, spent = counted[0], counted[1] / unit, counted[2] / unit, counted[3]
    some = (x > 0) & (spent > 0)
    amounts = lifetimes.GammaGammaFitter(penalizer_coef=1e-3).fit(x[some], spent[some])
    amount = amounts.conditional_expected_average_profit(x, spent)
    for name, model, start, silent in (
        ("bgnbd", lifetimes.BetaGeoFitter(penalizer_coef=1e-4), None, silent_bgnbd),
        ("paretonbd", lifetimes.ParetoNBDFitter(penalizer_coef=1e-4), np.ones(4), silent_paretonbd),
    ):
        model.fit(x, recency, age, initial_params=start)
        expected = model.conditional_expected_number_of_purchases_up_to_time(days / unit, x, recency, age)
        alive = np.asarray(model.conditional_probability_alive(x, recency, age))
        gone = 1 - alive * (1 - silent(model.params_, x, age, days / unit))
        value = np.asarray(expected) * np.asarray(amount)
        said = pd.DataFrame({"p_churn": gone, "expected_value": value, "p_high_value": value}, index=rows.index)
        said.to_csv(folder / f"said_{name}.csv")
    print(json.dumps({"version": f"lifetimes {lifetimes.__version__}"}))


def silent_bgnbd(p, x, age, ahead):
    """The chance that a live customer buys nothing: customers leave after purchases only, so the rate alone decides."""
    return ((p["alpha"] + age) / (p["alpha"] + age + ahead)) ** (p["r"] + x)


def silent_paretonbd(p, x, age, ahead, points=32):
    """The same where customers leave at any time: the mean over rates of buying and leaving, at quantiles of each."""
    parts = (np.arange(points) + 0.5) / points
    buys = gamma.ppf(parts[None, :], p["r"] + x[:, None]) / (p["alpha"] + age[:, None])
    leaves = gamma.ppf(parts, p["s"])[None, :] / (p["beta"] + age[:, None])
    either = buys[:, :, None] + leaves[:, None, :]
    return 1 - (buys[:, :, None] / either * -np.expm1(-either * ahead)).mean(axis=(1, 2))


main()
