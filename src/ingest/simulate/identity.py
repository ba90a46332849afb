"""The names, addresses, numbers and e-mail addresses that people truly have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import names
from .accounts import phone_digits
from .spelling import pick, plain

if TYPE_CHECKING:
    from random import Random

    from .people import People


@dataclass(frozen=True)
class Address:
    """Where somebody lives, as written in Han and in Latin script (the same where there is one script only)."""

    street: str
    street_latin: str
    unit: str
    unit_latin: str
    district: str
    district_latin: str
    city: names.City
    postcode: str


@dataclass(frozen=True)
class Identity:
    """One person's true particulars. ``digits`` and ``old_digits`` are theirs alone, ``home`` may be shared."""

    han: bool
    family: str
    given: str
    family_latin: str
    given_latin: str
    home: Address
    former: Address
    country: str
    digits: str
    old_digits: str
    email: str
    other_email: str


def particulars(dice: Random, people: People) -> list[Identity]:
    """Draw the particulars of a block of people; those of one household share the home and often the family name."""
    found: list[Identity] = []
    for i in range(len(people)):
        head = int(people.household[i])
        of = found[head] if head < i else None
        found.append(_one(dice, people, i, of))
    return found


def _one(dice: Random, people: People, i: int, head: Identity | None) -> Identity:
    han, woman = bool(people.han[i]), bool(people.woman[i])
    family, family_latin = _family(dice, han)
    if head is not None and dice.random() < (0.75 if not han else 0.5):
        family, family_latin = head.family, head.family_latin
    given, given_latin = _given_han(dice, woman) if han else _given_west(dice, woman)
    city = names.CITIES[people.city[i]]
    home = head.home if head is not None else _address(dice, city)
    number = int(people.number[i])
    country = city.country
    user = _user(dice, plain(family_latin), plain(given_latin), number)
    domains = names.DOMAINS_ZH if han else names.DOMAINS_WEST
    email = f"{user}@{pick(dice, domains)}"
    if han and dice.random() < 0.3:
        email = f"{(number + 1) * 7_919 % 899_999_981 + 100_000_000}@{names.DOMAINS_ZH[0]}"
    return Identity(
        han,
        family,
        given,
        family_latin,
        given_latin,
        home,
        _address(dice, names.CITIES[people.former_city[i]]),
        country,
        phone_digits(number, country, False),
        phone_digits(number, country, True),
        email,
        f"{plain(given_latin)[0].lower()}.{_user(dice, plain(family_latin), '', number)}@work.example",
    )


def _family(dice: Random, han: bool) -> tuple[str, str]:
    """Squared chance: the first names of the lists are the most frequent ones."""
    if han:
        written, sound = names.SURNAMES_ZH[int(dice.random() ** 2.2 * len(names.SURNAMES_ZH))]
        return written, sound.capitalize()
    name = names.FAMILY_WEST[int(dice.random() ** 1.5 * len(names.FAMILY_WEST))]
    return name, name


def _given_han(dice: Random, woman: bool) -> tuple[str, str]:
    own = names.GIVEN_ZH_F if woman else names.GIVEN_ZH_M
    count = 1 if dice.random() < 0.22 else 2
    parts = [pick(dice, own if dice.random() < 0.65 else names.GIVEN_ZH_U) for _ in range(count)]
    return "".join(p[0] for p in parts), "".join(p[1] for p in parts).capitalize()


def _given_west(dice: Random, woman: bool) -> tuple[str, str]:
    name = pick(dice, names.GIVEN_WEST_F if woman else names.GIVEN_WEST_M)
    return name, name


def _address(dice: Random, city: names.City) -> Address:
    number = 1 + int(dice.random() ** 2 * 400)
    if city.country == "CN":
        street, latin = pick(dice, names.STREETS_ZH)
        district, district_latin = pick(dice, city.districts)
        block, floor, door = 1 + int(dice.random() * 20), 1 + int(dice.random() * 30), 1 + int(dice.random() * 4)
        way = "Avenue" if street.endswith("大道") else "Road"
        return Address(
            f"{street}{number}号",
            f"{number} {latin} {way}",
            f"{block}栋{floor}{door:02d}室",
            f"Bldg {block}, Room {floor}{door:02d}",
            district,
            f"{district_latin} District",
            city,
            f"{city.postcode}{int(dice.random() * 1000):03d}",
        )
    street = pick(dice, names.STREETS_WEST[city.country])
    line = f"{street} {number}" if city.country == "DE" else f"{number} {street}"
    unit = f"Apt {1 + int(dice.random() * 60)}" if dice.random() < 0.4 else ""
    return Address(line, line, unit, unit, "", "", city, _postcode(dice, city))


def _postcode(dice: Random, city: names.City) -> str:
    if city.country == "GB":
        letters = "ABDEFGHJLNPQRSTUWXYZ"
        inward = f"{int(dice.random() * 10)}{pick(dice, letters)}{pick(dice, letters)}"
        return f"{city.postcode}{1 + int(dice.random() * 20)} {inward}"
    missing = 5 - len(city.postcode)
    return f"{city.postcode}{int(dice.random() * 10**missing):0{missing}d}"


def _user(dice: Random, family: str, given: str, number: int) -> str:
    """The part before the @; the number at its end makes it one person's own."""
    family = "".join(c for c in family.lower() if c.isalnum())
    given = "".join(c for c in given.lower() if c.isalnum())
    join = pick(dice, (".", "_", ""))
    return f"{given}{join if given else ''}{family}{number * 7 % 1_000_003 + number // 1_000_003 * 1_000_003}"
