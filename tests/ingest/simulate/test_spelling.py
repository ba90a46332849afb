from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from custid.ingest.simulate import names, spelling
from custid.ingest.simulate.accounts import app_id, phone_digits, shop_id

NUMBERS = st.integers(0, 39_999_999)


@given(st.text(min_size=3), st.integers(0, 2**32))
def test_a_slip_changes_at_most_one_place(text: str, seed: int) -> None:
    slipped = spelling.typo(Random(seed), text)
    assert abs(len(slipped) - len(text)) <= 1
    assert slipped[0] == text[0]


@given(NUMBERS, st.sampled_from(["CN", "GB", "US", "DE"]), st.booleans(), st.integers(0, 2**32))
def test_every_way_to_write_a_number_keeps_its_digits(number: int, country: str, former: bool, seed: int) -> None:
    digits = phone_digits(number, country, former)
    written = spelling.phone(Random(seed), digits, country)
    assert "".join(c for c in written if c.isdigit()).endswith(digits.lstrip("0"))


@given(NUMBERS, NUMBERS, st.booleans(), st.booleans())
def test_ids_are_one_accounts_own(a: int, b: int, second: bool, other: bool) -> None:
    same = (a, second) == (b, other)
    assert (shop_id(a, second) == shop_id(b, other)) == same
    assert (app_id(a, second) == app_id(b, other)) == same
    assert (phone_digits(a, "CN", False) == phone_digits(b, "CN", False)) == (a == b)


def test_latin_names_lose_their_accents() -> None:
    words = (*names.FAMILY_WEST, *names.GIVEN_WEST_F, *names.GIVEN_WEST_M)
    assert [word for word in words if not spelling.plain(word).isascii()] == []


def test_homophones_sound_alike() -> None:
    sounds, sound_of = spelling.han_sounds()
    heard = {spelling.homophone(Random(seed), "晓明", sounds, sound_of) for seed in range(40)}
    assert heard == {"晓明", "小明"}
