"""A release's files: which kinds may be there, and that each is the one that training wrote."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ..errors import CustidError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NATIVE = frozenset({".json", ".ubj"})
"""Formats that hold data alone: JSON, and XGBoost's own."""


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file below a folder, by its path inside it.

    Raises
    ------
    CustidError
        Where a file's format could hold code.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "model.json").write_text("{}")
    >>> digests(folder)["model.json"][:8]
    '44136fa3'
    """
    found = {}
    for path in sorted(p for p in folder.rglob("*") if not p.is_dir()):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or path.suffix not in NATIVE:
            raise CustidError(
                f"{name}: a model's folder may not hold this; expected plain files of the formats "
                f"{', '.join(sorted(NATIVE))}, which nothing has to be executed for."
            )
        with path.open("rb") as handle:
            found[name] = hashlib.file_digest(handle, "sha256").hexdigest()
    return found


def check(folder: Path, expected: Mapping[str, str], what: str) -> None:
    """Compare a folder with what was written there.

    Raises
    ------
    CustidError
        Where a file is missing, was added or was changed.
    """
    found = digests(folder)
    for name in sorted(set(found) | set(expected)):
        if found.get(name) != expected.get(name):
            state = "is missing" if name not in found else "was added" if name not in expected else "was changed"
            raise CustidError(f"{what}: the file {name} {state} since it was trained; the release is refused.")
