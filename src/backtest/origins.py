"""The origins: the days from which a backtest looks ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InputError
from ..training.snapshots import ENOUGH, LEAST_DAYS, plan

if TYPE_CHECKING:
    from datetime import date, timedelta

    from ..config import Config
    from ..workspace import Workspace

_TIMES = {"transactions": "ts", "subscriptions": "started_at"}


def origins(first: date, as_of: date, horizon: timedelta, config: Config) -> tuple[date, ...]:
    """The days to look ahead from, oldest first; the horizon of each has ended by ``as_of``.

    The last one is ``as_of - horizon``. The others go back from it, by ``backtest.stride`` or, without one, evenly over
    the history in whole steps of ``training.stride``, while enough of it lies before them to learn a whole horizon.
    Where there is no room for that, the last one stands alone, and a shorter horizon is learnt on it.

    Parameters
    ----------
    first, as_of
        The history: its first day, and the midnight at which it ends.
    horizon
        The longest of those that are predicted.
    config
        ``backtest`` and ``training``.

    Raises
    ------
    InputError
        Where the history is too short for one origin.

    Examples
    --------
    >>> from datetime import date, timedelta
    >>> from custid.config import Config
    >>> shop = {"name": "shop", "table": "transactions", "uri": "shop.csv"}
    >>> config = Config(name="shop", workspace="shop", sources=[shop], backtest={"origins": 3})
    >>> found = origins(date(2020, 1, 1), date(2022, 1, 1), timedelta(days=180), config)
    >>> [day.isoformat() for day in found]
    ['2020-11-07', '2021-03-07', '2021-07-05']
    """
    last = as_of - horizon
    earliest = first + config.training.min_history + horizon + (ENOUGH - 1) * config.training.stride
    if last < earliest:
        _check(first, last, as_of, horizon, config)
        return (last,)
    settings, least, room = config.backtest, config.training.stride, last - earliest
    step = settings.stride or max(room / max(settings.origins - 1, 1) // least, 1) * least
    most: int = min(settings.origins, 1 + room // step)
    return tuple(sorted(last - i * step for i in range(most)))


def _check(first: date, last: date, as_of: date, horizon: timedelta, config: Config) -> None:
    """Whether anything can be learnt on the last origin."""
    try:
        plan(first, last, horizon, config.training)
    except InputError as error:
        raise InputError(
            f"backtest: the history begins on {first}, {(as_of - first).days} days before as_of {as_of}; expected at "
            f"least {horizon.days + LEAST_DAYS} days: a horizon of {horizon.days} days that has ended, and "
            f"{LEAST_DAYS} days before it to learn from."
        ) from error


def first_day(ws: Workspace) -> date:
    """The day of the oldest purchase or subscription.

    Raises
    ------
    InputError
        Where no table says when anything happened.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    moments = []
    for table, time in _TIMES.items():
        if table in ws.tables():
            moments.append(pc.min(pq.read_table(ws.table(table), columns=[time])[time]).as_py())
    known = [moment for moment in moments if moment is not None]
    if not known:
        raise InputError(
            "sources: none fills the table transactions or subscriptions with times; expected one, since a backtest "
            "looks back at a history."
        )
    found: date = min(known).date()
    return found
