"""Times in text as SQL: one expression that reads a cell by a plan, for ingest and for the first guess alike."""

from __future__ import annotations

from dataclasses import dataclass

from .sql import quoted

ZONE = r"( ?(?:[Zz]|UTC|GMT)| ?[+-]\d{2}(?::?\d{2})?)$"
_CLOCK_ZONE = r"(:\d{2}(?:\.\d+)?(?: ?[AaPp][Mm])?)" + ZONE


@dataclass(frozen=True)
class DatePlan:
    """How a column's times are read: ``strptime`` formats in order, and whether some cells name a zone."""

    formats: tuple[str, ...]
    zoned: bool = False

    @property
    def about(self) -> str:
        """The formats in words."""
        return " or ".join(self.formats)


def parsed(text: str, plan: DatePlan, zone: str) -> str:
    """A text as a UTC timestamp, in SQL; NULL where it is written otherwise.

    Parameters
    ----------
    text
        The cell, as an SQL expression.
    plan
        How it is written.
    zone
        The zone of times that name none.
    """
    if any("%f" in f for f in plan.formats):
        text = f"regexp_replace({text}, '(\\.\\d{{6}})\\d+', '\\1')"
    digits = [f.startswith("%Y%m%d") for f in plan.formats]
    if any(digits):
        other = "" if all(digits) else f" OR NOT regexp_matches({text}, '^\\d{{5}}')"
        text = f"CASE WHEN regexp_matches({text}, '^\\d{{8}}(\\D|$)'){other} THEN {text} END"
    zoned = [f for f in plan.formats if "%z" in f or "%Z" in f]
    if zoned:
        return "coalesce(" + ", ".join(_one(text, f, "UTC" if f in zoned else zone) for f in plan.formats) + ")"
    formats = "[" + ", ".join(quoted(f) for f in plan.formats) + "]"
    return _shifted(text, formats, zone) if plan.zoned else utc(f"try_strptime({text}, {formats})", zone)


def utc(local: str, zone: str) -> str:
    """A local timestamp as one in UTC, in SQL."""
    return local if zone == "UTC" else f"CAST(timezone({quoted(zone)}, {local}) AS TIMESTAMP)"


def _shifted(text: str, formats: str, zone: str) -> str:
    """A time whose text may end in a zone: ``Z`` or an offset from UTC."""
    base = f"try_strptime(regexp_replace({text}, {quoted(_CLOCK_ZONE)}, '\\1'), {formats})"
    said = f"trim(regexp_extract({text}, {quoted(_CLOCK_ZONE)}, 2))"
    digits = f"regexp_replace({said}, '[^0-9]', '', 'g')"
    offset = f"to_minutes(CAST({digits}[1:2] AS INTEGER) * 60 + coalesce(try_cast({digits}[3:4] AS INTEGER), 0))"
    return (
        f"CASE WHEN {said} = '' THEN {utc(base, zone)} WHEN {said}[1] = '+' THEN {base} - {offset} "
        f"WHEN {said}[1] = '-' THEN {base} + {offset} ELSE {base} END"
    )


def _one(text: str, written: str, zone: str) -> str:
    return utc(f"CAST(try_strptime({text}, {quoted(written)}) AS TIMESTAMP)", zone)
