"""The rules as a whole: their fingerprint, and which of them lack an input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..workspace import fingerprint as digest_of
from .actions import LEAST

if TYPE_CHECKING:
    from collections.abc import Collection

    from ..config.settings import ActionRule, Config


def fingerprint(config: Config) -> str:
    """A digest of everything that decides tiers, lifecycle stages and next actions.

    Two configs with the same one give the same scores the same profiles; a release names it.
    """
    horizon = config.horizon.days if config.horizon else None
    parts = (config.tiers, config.lifecycle, *config.actions)
    return digest_of(horizon, [part.model_dump(mode="json") for part in parts])


def missing(config: Config, columns: Collection[str]) -> tuple[str, ...]:
    """A sentence for each rule that cannot fit anybody, or sees less than it could, for want of a column.

    Parameters
    ----------
    config
        The rules.
    columns
        What is known of the customers: columns of the scores, ``age`` and ``days_since_last``.

    Examples
    --------
    >>> from custid.config import parse
    >>> config = parse("sources: [{name: a, table: transactions, uri: a.csv}]", "a.yaml")
    >>> for sentence in missing(config, ["p_churn", "expected_value", "age", "days_since_last"]):
    ...     print(sentence)
    Nobody can be potential: the chance of being high-value was not predicted (task high_value).
    VIPs are told by expected value alone: the chance of being high-value was not predicted (task high_value).
    """
    said = [sentence for needed, sentence in _WANTED if needed not in columns]
    value, chance = "expected_value" in columns, "p_high_value" in columns
    if not value and not chance:
        said.append("Nobody can be VIP: neither value (task clv) nor high value (task high_value) was predicted.")
    elif not chance:
        said.append(
            "VIPs are told by expected value alone: the chance of being high-value was not predicted (task high_value)."
        )
    elif not value:
        said.append("VIPs are told by their chance of being high-value alone: no value was predicted (task clv).")
    return (*said, *(s for rule in config.actions for s in _lacking(rule, columns)))


_WANTED = (
    ("p_high_value", "Nobody can be potential: the chance of being high-value was not predicted (task high_value)."),
    ("p_churn", "Nobody can be lapsed, at risk or gone: churn was not predicted (task churn)."),
    ("age", "Nobody can be new: the features hold no first purchase."),
    ("days_since_last", "Nobody can be dormant: the features hold no last purchase."),
)


def _lacking(rule: ActionRule, columns: Collection[str]) -> list[str]:
    wanted = {
        "segment": bool(rule.segment),
        **{name: getattr(rule, setting) is not None for name, setting in LEAST.items()},
    }
    return [
        f"The action {rule.action!r} fits nobody: its condition needs {name}, which was not predicted."
        for name, used in wanted.items()
        if used and name not in columns
    ]
