"""How features are spoken of."""

from __future__ import annotations

from custid.features.table import catalogue
from custid.profiles.wording import PLAIN, words


def test_every_feature_is_spoken_of_and_no_other() -> None:
    names = {feature.name for feature in catalogue()}
    assert set(PLAIN) <= names
    assert set(words()) == names | {"formula"}


def test_plain_words_can_stand_before_a_value() -> None:
    assert not [text for text in PLAIN.values() if ": " in text or text.endswith(".") or "BG/NBD" in text]
