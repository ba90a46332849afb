"""How records come to differ from the person they are about: typing errors, scripts, formats, old values."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, TypeVar

from . import names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

T = TypeVar("T")
_KEYS = {
    "a": "s", "b": "v", "c": "x", "d": "f", "e": "r", "f": "g", "g": "h", "h": "j", "i": "o", "j": "k", "k": "l",
    "l": "k", "m": "n", "n": "m", "o": "p", "p": "o", "q": "w", "r": "t", "s": "d", "t": "y", "u": "i", "v": "b",
    "w": "e", "x": "z", "y": "u", "z": "x", "0": "9", "1": "2", "2": "3", "3": "4", "4": "5", "5": "6", "6": "7",
    "7": "8", "8": "7", "9": "0",
}  # fmt: skip


def pick(dice: Random, options: Sequence[T]) -> T:
    """One of the options, each as likely."""
    return options[int(dice.random() * len(options))]


def typo(dice: Random, text: str) -> str:
    """One slip of the fingers: a letter doubled, dropped, swapped with the next or hit beside its key.

    >>> from random import Random
    >>> typo(Random(3), "Johnson")
    'Jonhson'
    """
    if len(text) < 3:
        return text
    i = 1 + int(dice.random() * (len(text) - 2))
    slip = dice.random()
    if slip < 0.25:
        return text[:i] + text[i + 1 :]
    if slip < 0.45:
        return text[: i + 1] + text[i] + text[i + 1 :]
    if slip < 0.75:
        return text[:i] + text[i + 1] + text[i] + text[i + 2 :]
    return text[:i] + _KEYS.get(text[i].lower(), text[i]) + text[i + 1 :]


def plain(text: str) -> str:
    """Latin text without accents, as a keyboard without them writes it.

    >>> plain("Jørgensen-Müller")
    'Jorgensen-Muller'
    """
    text = text.replace("ø", "o").replace("Ø", "O").replace("ß", "ss")
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))


def homophone(dice: Random, han: str, sounds: dict[str, list[str]], sound_of: dict[str, str]) -> str:
    """A Han name with one character replaced by another of the same sound, as it happens over the telephone."""
    i = int(dice.random() * len(han))
    others = [c for c in sounds.get(sound_of.get(han[i], ""), []) if c != han[i]]
    return han[:i] + pick(dice, others) + han[i + 1 :] if others else han


def phone(dice: Random, digits: str, country: str) -> str:
    """A number in one of the ways in which people write it."""
    if country == "CN":
        forms: tuple[Callable[[str], str], ...] = (
            str,
            str,
            lambda d: f"{d[:3]} {d[3:7]} {d[7:]}",
            lambda d: f"{d[:3]}-{d[3:7]}-{d[7:]}",
            lambda d: f"+86 {d[:3]} {d[3:7]} {d[7:]}",
            lambda d: f"+86{d}",
            lambda d: f"0086-{d}",
            lambda d: f"(+86) {d}",
        )
    elif country == "US":
        forms = (
            lambda d: f"+1{d}",
            lambda d: f"+1 ({d[:3]}) {d[3:6]}-{d[6:]}",
            lambda d: f"001 {d[:3]} {d[3:6]} {d[6:]}",
            lambda d: f"+1-{d[:3]}-{d[3:6]}-{d[6:]}",
        )
    else:
        code = {"GB": "44", "DE": "49"}[country]
        forms = (
            lambda d: f"+{code}{d[1:]}",
            lambda d: f"+{code} {d[1:5]} {d[5:]}",
            lambda d: f"00{code} {d[1:4]} {d[4:]}",
            lambda d: f"+{code} (0){d[1:5]} {d[5:]}",
        )
    return pick(dice, forms)(digits)


def email(dice: Random, address: str) -> str:
    """An address as typed: mostly as it is, at times in other case, with a sub-address, a blank or a typing error."""
    user, _, domain = address.partition("@")
    slip = dice.random()
    if slip < 0.10:
        return f"{user.capitalize()}@{domain}"
    if slip < 0.15:
        return address.upper()
    if slip < 0.20:
        return f"{user}+{pick(dice, ('shop', 'app', 'news', 'vip'))}@{domain}"
    if slip < 0.22:
        return f" {address} "
    if slip < 0.25:
        return f"{typo(dice, user)}@{domain}"
    return address


def han_sounds() -> tuple[dict[str, list[str]], dict[str, str]]:
    """Which of the characters of given names sound alike: by sound, and the sound of each."""
    sound_of: dict[str, str] = dict((*names.GIVEN_ZH_F, *names.GIVEN_ZH_M, *names.GIVEN_ZH_U))
    sounds: dict[str, list[str]] = {}
    for character in sorted(sound_of):
        sounds.setdefault(sound_of[character], []).append(character)
    return sounds, sound_of
