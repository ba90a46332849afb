"""The page of features is what the families say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custid.features.docs import render
from custid.features.table import catalogue

if TYPE_CHECKING:
    from pathlib import Path


def test_the_page_is_up_to_date(root: Path) -> None:
    written = (root / "docs" / "features.md").read_text(encoding="utf-8")
    assert written == render(), "run `python -m custid.features.docs > docs/features.md`"


def test_the_page_names_every_feature() -> None:
    page = render()
    assert all(f"| `{feature.name}` | {feature.about} |" in page for feature in catalogue())
