"""What measures, tasks, tiers and stages are called in a page without jargon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..profiles.lifecycle import dormant_after
from .format import share

if TYPE_CHECKING:
    from ..config.settings import Config


@dataclass(frozen=True)
class Measure:
    """How a measure is spoken of: its name in words, what it means, which way is good, and how it is written."""

    title: str
    about: str
    better: Literal["higher", "lower", "near 1"]
    kind: Literal["share", "decimal", "money", "times"]
    initials: str


MEASURES = {
    "auc": Measure(
        "Tells who will from who will not",
        "Of two customers, one who then did and one who did not: how often the first was given the higher chance.",
        "higher",
        "share",
        "AUC",
    ),
    "average_precision": Measure(
        "Finds the best customers",
        "How pure the list of predicted best customers is, on average over all lengths of the list.",
        "higher",
        "share",
        "average precision",
    ),
    "gini": Measure(
        "Puts customers in the right order of spend",
        "100% is the true order of what they then spent.",
        "higher",
        "share",
        "normalised Gini",
    ),
    "capture_10": Measure(
        "Future spend held by the predicted top tenth",
        "Of all money that was then spent: the share that came from the tenth of customers predicted to spend most.",
        "higher",
        "share",
        "capture at 10%",
    ),
    "mae": Measure(
        "Error per customer",
        "How far the expected spend of a customer was from the true one, on average.",
        "lower",
        "money",
        "MAE",
    ),
    "brier": Measure(
        "Error of the probabilities",
        "The squared distance between the stated chance and what happened. 0 is perfect.",
        "lower",
        "decimal",
        "Brier score",
    ),
    "lift_10": Measure(
        "Best customers in the predicted top tenth",
        "How many times more of them there are than in a tenth drawn at random.",
        "higher",
        "times",
        "lift at 10%",
    ),
    "bias": Measure(
        "Forecast total against the true total",
        "1 is exact; below 1 the forecast was too low, above 1 too high.",
        "near 1",
        "times",
        "bias",
    ),
}

MEASURES |= {
    "emp": Measure(
        "Worth of contacting those who are pointed out",
        "Profit per customer where as many are contacted as pay best, over the chances that an offer is accepted.",
        "higher",
        "money",
        "expected maximum profit",
    ),
    "qini": Measure(
        "Puts those first whom contact changes",
        "100% is the best order that could be, 0% is an order at random.",
        "higher",
        "share",
        "Qini area",
    ),
    "uplift_30": Measure(
        "Change by contact in the predicted top 30%",
        "How much more came of those contacted than of those kept back, among those predicted to change most.",
        "higher",
        "decimal",
        "uplift at 30%",
    ),
}

SHOWN = {
    "churn": ("auc", "brier", "emp"),
    "clv": ("gini", "capture_10", "mae", "bias"),
    "high_value": ("average_precision", "lift_10"),
    "intent": ("auc", "brier"),
    "prospects": ("auc", "brier", "gini"),
    "uplift": ("qini", "uplift_30"),
}
"""The measures of each task that the page shows; the first one is the one that decides."""

TASKS = {
    "churn": "Who is leaving",
    "clv": "How much they will spend",
    "high_value": "Who will be among the best",
    "intent": "Who will buy within days",
    "prospects": "Who will buy for the first time",
    "risk": "Who behaves oddly",
    "segments": "Who is alike",
    "uplift": "Whom contact changes",
}

NAMES = (
    "Formulas (BG/NBD, MBG/NBD, Pareto/NBD) forecast from how often and how recently a customer bought. "
    "RFM points give one to five points each for a recent purchase, many purchases and much spend. "
    "XGBoost is a common learner, here with its own settings."
)
"""What the baselines' names mean, for those who have not met them."""

BASELINES = {
    "recency": "who bought last",
    "last_visit": "who visited last",
    "registration": "who registered last",
    "rfm": "RFM points",
    "past_spend": "past spend, carried on",
    "bgnbd": "BG/NBD formula",
    "mbgnbd": "MBG/NBD formula",
    "paretonbd": "Pareto/NBD formula",
    "prior": "the average of all",
    "xgboost": "XGBoost as it comes",
    "tenure": "who subscribed last",
    "plan": "the average of the plan",
    "logistic": "logistic regression",
    "shallow_xgboost": "shallow XGBoost",
    "s_learner": "one logistic regression (S-learner)",
    "t_learner": "two logistic regressions (T-learner)",
    "class_transformation": "class transformation",
    "response": "who answers anyway",
}


def leaving_means(config: Config, days: int) -> str:
    """What leaving is, by the form of churn."""
    return {
        "silent": f"no purchase in the next {days} days",
        "contractual": f"the end of the last open subscription in the next {days} days",
        "labelled": "what the table's label calls leaving",
    }[config.churn_form]


def tier_words(config: Config) -> dict[str, tuple[str, str]]:
    """Name and definition of each tier, with the thresholds of the config."""
    s = config.tiers
    best = f"likely to be among the best {share(config.high_value.share)}"
    return {
        "vip": ("VIP", f"top {share(s.vip_share)} by expected spend, or at least {share(s.vip_probability)} {best}"),
        "potential": ("Potential", f"no VIP yet, but at least {share(s.potential_probability)} {best}"),
        "ordinary": ("Ordinary", "everybody else"),
        "lapsed": ("Lapsed", f"no VIP, and at least {share(s.lapsed_churn)} likely to have left"),
    }


def stage_words(config: Config) -> dict[str, tuple[str, str]]:
    """Name and definition of each lifecycle stage, with the thresholds of the config."""
    s, horizon = config.lifecycle, config.needs_horizon()
    return {
        "new": ("New", f"first purchase at most {s.new.days} days ago"),
        "active": ("Active", "buying, and likely to go on" if config.churn_form == "silent" else "likely to stay"),
        "at risk": ("At risk", f"at least {share(s.at_risk_churn)} likely to leave"),
        "dormant": ("Dormant", f"no purchase for {dormant_after(s, horizon).days} days or more"),
        "gone": ("Gone", f"at least {share(s.gone_churn)} likely to have left"),
    }
