"""Registrations: the same people as the web shop, the stores and the app have them on file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from . import names, spelling
from .accounts import TEST_ACCOUNT, TEST_PERSON, Accounts, app_id, phone_digits, shop_id
from .behaviour import DAY, STORE
from .spelling import pick, typo

if TYPE_CHECKING:
    from random import Random

    from .behaviour import Lives, Orders, Span
    from .identity import Address, Identity
    from .people import People

Row = dict[str, object]


@dataclass
class Registrations:
    """Rows of the three customer tables, and which person each record id belongs to."""

    shop: list[Row] = field(default_factory=list)
    pos: list[Row] = field(default_factory=list)
    app: list[Row] = field(default_factory=list)
    identity: list[tuple[str, str, str]] = field(default_factory=list)


def person_id(number: int) -> str:
    """What the truth calls a person."""
    return f"P{number:07d}"


def register(
    dice: Random,
    people: People,
    lives: Lives,
    orders: Orders,
    accounts: Accounts,
    known: list[Identity],
    span: Span,
) -> Registrations:
    """One row for each account, with what went wrong on the way into the files."""
    clerk = _Clerk(dice, people, known, span)
    first = _first_orders(orders, len(people))
    out = Registrations()
    for i, number in enumerate(people.number.tolist()):
        person = person_id(number)
        start, switch = int(lives.start[i]), int(accounts.switch[i])
        if accounts.shop[i]:
            at = min(int(first[i, 0]), start + int(dice.random() * 40 * DAY), span.end - 3_600)
            out.shop += clerk.shop(i, shop_id(number, False), at)
            out.identity.append(("shop", shop_id(number, False), person))
        if accounts.second_shop[i]:
            out.shop += clerk.shop(i, shop_id(number, True), switch)
            out.identity.append(("shop", shop_id(number, True), person))
        if accounts.pos[i]:
            key = phone_digits(number, known[i].country, False)
            out.pos.append(clerk.pos(i, key, int(first[i, 1])))
            out.identity.append(("pos", key, person))
        if accounts.app[i]:
            out.app += clerk.app(i, app_id(number, False), start)
            out.identity.append(("app", app_id(number, False), person))
        if accounts.second_app[i]:
            out.app += clerk.app(i, app_id(number, True), switch)
            out.identity.append(("app", app_id(number, True), person))
    return out


def test_account(span: Span) -> tuple[Row, tuple[str, str, str]]:
    """The shop's own account for trying things out, and the person that it is not."""
    row = _empty_shop() | {
        "customer_no": TEST_ACCOUNT,
        "first_name": "Test",
        "last_name": "Test",
        "email": "test@shop.example",
        "registered": span.epoch_day * DAY - 400 * DAY,
    }
    return row, ("shop", TEST_ACCOUNT, TEST_PERSON)


def _first_orders(orders: Orders, n: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Ten minutes before each person's first online and first store order; far ahead where there is none."""
    first = np.full((n, 2), 10**9)
    np.minimum.at(first, (orders.person, (orders.channel == STORE).astype(np.int64)), orders.ts - 600)
    return first


def _empty_shop() -> Row:
    text = "customer_no first_name last_name email mobile sex street apartment district city province zip country"
    return dict.fromkeys(text.split(), "") | {"birthday": None, "registered": 0, "marketing_ok": "no"}


class _Clerk:
    """Writes people down, with errors; times in seconds since 1970."""

    def __init__(self, dice: Random, people: People, known: list[Identity], span: Span) -> None:
        self.dice, self.people, self.known, self.span = dice, people, known, span
        self.sounds, self.sound_of = spelling.han_sounds()
        self.zero = span.epoch_day * DAY

    def _chance(self, p: float) -> bool:
        return self.dice.random() < p

    def _name(self, who: Identity, latin: float) -> tuple[str, str, bool]:
        """Given and family name as written, and whether in Latin script."""
        dice = self.dice
        if who.han and not self._chance(latin):
            given = who.given
            if self._chance(0.03):
                given = spelling.homophone(dice, given, self.sounds, self.sound_of)
            return given, who.family, False
        given, family = who.given_latin, who.family_latin
        if self._chance(0.25):
            given, family = spelling.plain(given), spelling.plain(family)
        if not who.han and self._chance(0.10):
            given = names.NICKNAMES.get(given, given)
        if self._chance(0.04):
            given = typo(dice, given)
        if self._chance(0.04):
            family = typo(dice, family)
        if self._chance(0.08):
            given, family = (given.upper(), family.upper()) if self._chance(0.6) else (given.lower(), family.lower())
        return given, family, True

    def _phone(self, i: int, missing: float) -> str:
        """Their number, at times an older one, that of the household's head, one with a slip, or none."""
        who = self.known[i]
        if self._chance(missing):
            return ""
        draw = self.dice.random()
        digits, country = who.digits, who.country
        if draw < 0.05:
            digits = who.old_digits
        elif draw < 0.15:
            head = self.known[int(self.people.household[i])]
            digits, country = head.digits, head.country
        elif draw < 0.17:
            digits = digits[:4] + typo(self.dice, digits[4:])
        return spelling.phone(self.dice, digits, country)

    def _email(self, who: Identity, missing: float, other: float) -> str:
        if self._chance(missing):
            return ""
        return spelling.email(self.dice, who.other_email if self._chance(other) else who.email)

    def _birth(self, i: int, missing: float) -> int | None:
        """Days since 1970; day and month swapped, a year off, or the form's first of January now and then."""
        if self._chance(missing):
            return None
        day, draw = int(self.people.birth[i]), self.dice.random()
        if draw < 0.015:
            return _swap_day_and_month(day)
        if draw < 0.03:
            return day + 365
        if draw < 0.05:
            return int(np.datetime64(day, "D").astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64))
        return day

    def _home(self, who: Identity, old: float) -> Address:
        return who.former if self._chance(old) else who.home

    def shop(self, i: int, record: str, at: int) -> list[Row]:
        """A row of the web shop, now and then twice."""
        who, dice = self.known[i], self.dice
        given, family, latin = self._name(who, 0.45)
        if self._chance(0.03):
            given, family = family, given
        home = self._home(who, 0.10)
        row: Row = {
            "customer_no": record,
            "first_name": given,
            "last_name": family,
            "email": self._email(who, 0.04, 0.08),
            "mobile": self._phone(i, 0.15),
            "birthday": self._birth(i, 0.35),
            "sex": ""
            if self._chance(0.2)
            else pick(dice, ("F", "female", "女") if self.people.woman[i] else ("M", "male", "男")),
            "street": home.street_latin if latin else home.street,
            "apartment": home.unit_latin if latin else home.unit,
            "district": home.district_latin if latin else home.district,
            "city": home.city.latin if latin else home.city.name,
            "province": home.city.state_latin if latin else home.city.state,
            "zip": "" if self._chance(0.15) else home.postcode,
            "country": home.city.country,
            "registered": self.zero + at,
            "marketing_ok": "yes" if self.people.consent[i] else "no",
        }
        if self._chance(0.05):
            row["street"] = typo(dice, str(row["street"]))
        return [row, row] if self._chance(0.005) else [row]

    def pos(self, i: int, key: str, at: int) -> Row:
        """A row of the stores' members, as the cashier typed it."""
        who = self.known[i]
        given, family, latin = self._name(who, 0.3)
        if not latin:
            name = family + given
        elif who.han or self._chance(0.3):
            name = f"{family} {given}" if self._chance(0.8) else f"{given} {family}"
        else:
            name = f"{given} {family}" if self._chance(0.7) else f"{family}, {given}"
        home = self._home(who, 0.15)
        return {
            "member_key": key,
            "full_name": name,
            "mobile": spelling.phone(self.dice, who.digits, who.country),
            "email": self._email(who, 0.65, 0.05),
            "birth": self._birth(i, 0.5),
            "gender": "" if self._chance(0.3) else ("2" if self.people.woman[i] else "1"),
            "address": (home.street_latin if latin else home.street) if self._chance(0.6) else "",
            "city": home.city.latin if latin else home.city.name,
            "member_since": self.zero + at,
        }

    def app(self, i: int, record: str, at: int) -> list[Row]:
        """A row of the app's users; somebody who moved has one for each address, by the day it became known."""
        who, dice = self.known[i], self.dice
        given, family, latin = self._name(who, 0.55)
        name = f"{given} {family}" if latin else family + given
        if self._chance(0.06):
            name = given
        moved = self._chance(0.05)
        home = who.former if moved else who.home
        row: Row = {
            "user_id": record,
            "display_name": name,
            "email": self._email(who, 0.10, 0.12),
            "phone": self._phone(i, 0.25),
            "birth_date": self._birth(i, 0.4),
            "gender": None if self._chance(0.25) else ("female" if self.people.woman[i] else "male"),
            "city": home.city.latin if latin else home.city.name,
            "country": home.city.country,
            "device": pick(dice, ("ios", "android", "android", "mini-program")),
            "created_at": self.zero + at,
            "updated_at": self.zero + at,
        }
        if not moved:
            return [row]
        later = at + int((self.span.end - at) * dice.random())
        new = who.home.city
        there = {"city": new.latin if latin else new.name, "country": new.country, "updated_at": self.zero + later}
        return [row, row | there]


def _swap_day_and_month(day: int) -> int:
    date = np.datetime64(day, "D").item()
    return day if date.day > 12 else int(np.datetime64(date.replace(day=date.month, month=date.day)).astype(np.int64))
