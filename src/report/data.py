"""The data: rows in, rows accepted, rows set aside with reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .format import count, share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .inputs import Inputs

FLAGS = {
    "duplicate": "exact repetitions",
    "cancellation": "cancellations",
    "cancelled_at": "cancelled later",
    "cancelled": "cancelled later",
    "non_product": "codes that are no products",
}
COLUMNS = {"record_id": "customer", "ts": "date", "order_id": "order", "product_id": "product"}
PROBLEMS = {
    "missing": "no {}",
    "unreadable": "{} cannot be read",
    "out_of_range": "{} out of range",
    "too_large": "{} too large",
}
DROPS = {"duplicates": "repetitions", "cancellations": "cancellations", "non_products": "codes that are no products"}


@dataclass(frozen=True)
class Part:
    """A share of a source's rows in percent, and its name and number in words."""

    name: str
    length: float
    text: str
    kind: str


@dataclass(frozen=True)
class Source:
    """A source: where it is from, its rows by what became of them, why rows were set aside, what was flagged."""

    name: str
    table: str
    uri: str
    rows: str
    parts: tuple[Part, ...]
    reasons: tuple[tuple[str, str], ...]
    flagged: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Data:
    """All sources, and what was left out of the features on purpose."""

    sources: tuple[Source, ...]
    dropped: str


def data(inputs: Inputs) -> Data | None:
    """The section's figures; None where the workspace has no quality.json."""
    found = inputs.quality.get("sources", {})
    if not found:
        return None
    drop = [DROPS[name] for name in inputs.config.quality.drop]
    none = "Flagged rows are kept: flags only count them."
    dropped = f"Left out of all figures: {', '.join(drop)}." if drop else none
    return Data(tuple(_source(name, seen) for name, seen in found.items()), dropped)


def _source(name: str, seen: Mapping[str, Any]) -> Source:
    rows = seen["rows"]
    later = seen.get("later", 0)
    parts = [
        Part("used", _percent(seen["accepted"] - later, rows), count(seen["accepted"] - later), "used"),
        Part("after the day of the report", _percent(later, rows), count(later), "later"),
        Part("set aside", _percent(seen["quarantined"], rows), count(seen["quarantined"]), "refused"),
    ]
    return Source(
        name,
        seen["table"],
        str(seen.get("uri", "")),
        count(rows),
        tuple(part for part in parts if part.length or part.kind == "used"),
        tuple((reason(code), _of(n, rows)) for code, n in _largest(seen.get("reasons", {}))),
        tuple((FLAGS.get(flag, flag.replace("_", " ")), _of(n, rows)) for flag, n in _largest(seen.get("flagged", {}))),
        tuple(_sentence(str(text)) for text in seen.get("notes", ())),
    )


def reason(code: str) -> str:
    """A reason code in words.

    >>> reason("record_id_missing"), reason("unit_price_unreadable"), reason("row_misshapen")
    ('no customer', 'unit price cannot be read', 'row misshapen')
    """
    for problem, words in PROBLEMS.items():
        column = code.removesuffix(f"_{problem}")
        if column != code:
            return words.format(COLUMNS.get(column, column.replace("_", " ")))
    return code.replace("_", " ")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")


def _largest(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(((k, n) for k, n in counts.items() if n), key=lambda item: (-item[1], item[0]))


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 3) if whole else 0.0


def _of(part: int, whole: int) -> str:
    return f"{count(part)} ({share(part / whole)})" if whole else count(part)
