"""Under which record ids people are known in each source, and under which of them an order, visit or answer stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .behaviour import DAY, STORE

if TYPE_CHECKING:
    from .behaviour import Lives, Orders
    from .people import Flags, Ints, People

TEST_ACCOUNT = "TEST-01"
TEST_PERSON = "TEST"
NOBODY = -1


@dataclass(frozen=True)
class Accounts:
    """Each person's records. A second shop or app account takes over at ``switch`` (seconds)."""

    shop: Flags
    second_shop: Flags
    pos: Flags
    app: Flags
    second_app: Flags
    switch: Ints


def open_accounts(rng: np.random.Generator, people: People, lives: Lives, orders: Orders, end: int) -> Accounts:
    """Everybody has an account where they bought before the ``end``, and at least one; a few open a second one."""
    n = len(people)
    u = rng.random((4, n))
    bought = np.zeros((n, 3), bool)
    recorded = orders.ts < end
    bought[orders.person[recorded], orders.channel[recorded]] = True
    pos = bought[:, STORE] & people.member
    shop = bought[:, :STORE].any(axis=1) | (u[0] < 0.15) | ~(pos | people.app)
    active = np.clip(lives.end - lives.start, DAY, 700 * DAY)
    switch = np.maximum(lives.start, 0) + (active * (0.2 + 0.6 * u[3])).astype(np.int64)
    twice = switch < end - 3_600
    return Accounts(shop, shop & (u[1] < 0.05) & twice, pos, people.app, people.app & (u[2] < 0.03) & twice, switch)


def shop_id(number: int, second: bool) -> str:
    """A customer number of the web shop.

    >>> shop_id(0, False) != shop_id(0, True)
    True
    """
    return f"C{_mix(number * 2 + second):08d}"


def app_id(number: int, second: bool) -> str:
    """A user id of the app."""
    return f"u{(number * 2 + second + 1) * 2_654_435_761 % 2**32:08x}"


def _mix(i: int) -> int:
    """A number of eight digits that is different for each of the first 99,999,988 numbers (the modulus is prime)."""
    return (i + 1) * 48_271 % 99_999_989


def phone_digits(number: int, country: str, former: bool) -> str:
    """The digits of a mobile number as dialled within a country: unique to a person, made up.

    >>> phone_digits(5, "CN", False)
    '18600289626'
    """
    eight = f"{_mix(number + 40_000_000 * former):08d}"
    if country == "CN":
        return "1" + ("37", "38", "39", "50", "58", "86", "89", "99")[(number + 3 * former) % 8][:2] + eight
    if country == "GB":
        return "077" + eight
    if country == "US":
        return f"4{eight[:2]}5{eight[2:]}"
    return "0151" + eight


def keeper(accounts: Accounts, second: Flags, person: Ints, ts: Ints) -> Flags:
    """Whether a row of a person at a time stands under their second account."""
    return np.asarray(second[person] & (ts > accounts.switch[person]))
