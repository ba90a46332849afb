"""What customers say: ratings, survey answers, reviews and complaints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .family import Columns, Family, Feature
from .formulas import count, days_since, double, number, ratio

if TYPE_CHECKING:
    import ibis

    from .facts import Moment

MILLIONTHS = 1_000_000


def _feedback(feedback: ibis.Table, at: Moment) -> Columns:
    complaint = feedback.kind == "complaint"
    recent = at.within(feedback.day, 180)
    return {
        "said": feedback.count(),
        "said_180": feedback.count(where=recent),
        "score_sum": feedback.score.sum(),
        "score_sum_180": feedback.score.sum(where=recent),
        "score_least": feedback.score.min(),
        "score_newest": feedback.score.max(where=feedback.place == 0),
        "complaints_all": feedback.count(where=complaint),
        "complaints_recent": feedback.count(where=complaint & recent),
        "said_last": feedback.second.max(),
        "complaint_last": feedback.second.max(where=complaint),
    }


def _formulas(row: ibis.Table, at: Moment) -> Columns:
    return {
        "feedbacks": count(row.said),
        "score_mean": ratio(row.score_sum, row.said) / double(MILLIONTHS),
        "score_mean_180": ratio(row.score_sum_180, row.said_180) / double(MILLIONTHS),
        "score_min": number(row.score_least) / double(MILLIONTHS),
        "score_last": number(row.score_newest) / double(MILLIONTHS),
        "complaints": count(row.complaints_all),
        "complaints_180": count(row.complaints_recent),
        "days_since_feedback": days_since(row.said_last, at),
        "days_since_complaint": days_since(row.complaint_last, at),
    }


FAMILY = Family(
    name="opinions",
    features=(
        Feature("feedbacks", "ratings, answers, reviews and complaints", "count"),
        Feature("score_mean", "mean score: 0 (worst) to 1 (best)", "score"),
        Feature("score_mean_180", "mean score in the last 180 days", "score"),
        Feature("score_min", "worst score", "score"),
        Feature("score_last", "last score; the worst of those given at once", "score"),
        Feature("complaints", "complaints", "count"),
        Feature("complaints_180", "complaints in the last 180 days", "count"),
        Feature("days_since_feedback", "since the last feedback", "days"),
        Feature("days_since_complaint", "since the last complaint", "days"),
    ),
    measures={"feedback": _feedback},
    formulas=_formulas,
)
