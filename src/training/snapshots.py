"""Which days a training looks back from, and how far each looks ahead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from ..asof import DAY, schedule
from ..errors import InputError

if TYPE_CHECKING:
    from datetime import date

    from ..config.settings import TrainingSettings

ENOUGH = 3
"""Labelled snapshots with which a whole horizon is learnt."""
_SHORTEST = 7
LEAST_DAYS = 3 * _SHORTEST
"""The shortest history that anything is learnt from."""
_WEEK = timedelta(days=7)
_SHORT = 4 * _WEEK


@dataclass(frozen=True)
class Plan:
    """Labelled snapshots and the horizon that is learnt from them.

    Attributes
    ----------
    days
        The labelled snapshots, oldest first; their horizons have ended by ``as_of``.
    learnt
        The horizon of their labels: the one asked for, or a shorter one where the history has no room for it.
    """

    days: tuple[date, ...]
    learnt: timedelta


def plan(first: date, as_of: date, horizon: timedelta, settings: TrainingSettings) -> Plan:
    """The snapshots of a history that begins on ``first``.

    A horizon of less than four weeks that is not of whole weeks is learnt from days on the weekday of ``as_of``, as far
    as the stride keeps to it: within a week, the days on which people buy would be mistaken for the level.

    Where fewer than three snapshots with enough history before them fit, the horizon that is learnt is half of what is
    left after the least history, and the formulas extend it.

    Raises
    ------
    InputError
        Where the history is too short for any snapshot.

    Examples
    --------
    >>> from datetime import date
    >>> from custid.config.settings import TrainingSettings
    >>> made = plan(date(1997, 1, 1), date(1997, 10, 1), timedelta(days=273), TrainingSettings())
    >>> made.learnt.days, [day.isoformat() for day in made.days]
    (106, ['1997-03-19', '1997-04-18', '1997-05-18', '1997-06-17'])
    >>> pace = TrainingSettings(snapshots=3, stride="1w")
    >>> [day.isoformat() for day in plan(date(1997, 1, 1), date(1997, 10, 1), timedelta(days=3), pace).days]
    ['1997-09-10', '1997-09-17', '1997-09-24']
    """
    length = (as_of - first).days
    least = min(settings.min_history, timedelta(days=length // 3))
    earliest = first + least - DAY
    stride = settings.stride
    until = as_of - (-horizon % _WEEK if horizon < _SHORT else timedelta(0))
    days = schedule(earliest, until, horizon, stride, settings.snapshots)
    if len(days) >= min(ENOUGH, settings.snapshots):
        return Plan(tuple(days), horizon)
    learnt = min(horizon, timedelta(days=(length - least.days) // 2))
    if learnt.days < min(_SHORTEST, horizon.days):
        raise InputError(
            f"as_of {as_of}: the purchases begin on {first}, {length} days before; expected a history of at least "
            f"{LEAST_DAYS} days to learn from."
        )
    days = schedule(earliest, as_of, learnt, min(stride, timedelta(days=max(1, learnt.days // 3))), settings.snapshots)
    return Plan(tuple(days), learnt)
