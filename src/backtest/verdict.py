"""Does the model beat what ships beside it? Said from the pooled differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def verdict(pooled: Mapping[str, Any], headline: str | None) -> dict[str, str]:
    """How the model stands to its best baseline by the headline metric, which is better when it is higher.

    The best baseline is the one that the model is least ahead of.

    Returns
    -------
    dict
        ``standing`` (ahead, level, behind or unknown), ``baseline``, ``sentence``.

    Examples
    --------
    >>> gap = {"value": 0.02, "low": 0.01, "high": 0.03, "origins": 4}
    >>> found = verdict({"differences": {"recency": {"auc": gap}}}, "auc")
    >>> found["standing"], found["sentence"]
    ('ahead', 'Over 4 origins the model beats its best baseline, recency: auc +0.020 (95 %: +0.010 to +0.030).')
    """
    gaps = {who: block[headline] for who, block in pooled["differences"].items() if headline in block}
    known = {who: gap for who, gap in gaps.items() if gap["value"] is not None}
    if not known:
        return {"standing": "unknown", "baseline": "", "sentence": "There is no baseline to compare it with."}
    best = min(known, key=lambda who: (known[who]["value"], who))
    gap = known[best]
    several = f"Over {gap['origins']} origins" if gap["origins"] > 1 else "At one origin"
    if gap["low"] is None:
        sentence = f"{several}, {headline} was {gap['value']:+.3f} beside that of the best baseline, {best}."
        return {"standing": "unknown", "baseline": best, "sentence": sentence}
    standing = "ahead" if gap["low"] > 0 else "behind" if gap["high"] < 0 else "level"
    words = {"ahead": "beats", "level": "is level with", "behind": "does not beat"}[standing]
    between = f"{headline} {gap['value']:+.3f} (95 %: {gap['low']:+.3f} to {gap['high']:+.3f})"
    return {
        "standing": standing,
        "baseline": best,
        "sentence": f"{several} the model {words} its best baseline, {best}: {between}.",
    }


def summary(result: Mapping[str, Any]) -> list[list[object]]:
    """For each task its headline metric, the model's value, the best baseline's name, and the difference in words.

    Parameters
    ----------
    result
        What ``backtest.json`` says.
    """
    rows: list[list[object]] = []
    for task, told in result["tasks"].items():
        name, best, pooled = told["headline"], told["verdict"]["baseline"], told["pooled"]
        value = pooled["model"].get(name, {}).get("value")
        gap = pooled["differences"].get(best, {}).get(name, {})
        rows.append([task, str(name), float("nan") if value is None else value, best, _in_words(gap)])
    return rows


def _in_words(gap: Mapping[str, float | None]) -> str:
    """A difference with the ends of its interval, as far as they are known.

    >>> _in_words({"value": 0.02, "low": -0.01, "high": 0.05})
    '+0.020 (-0.010, +0.050)'
    """
    value, low, high = (gap.get(end) for end in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return "" if value is None else f"{value:+.3f}"
    return f"{value:+.3f} ({low:+.3f}, {high:+.3f})"
