"""The running custid as a wheel, and what it needs, pinned to what is installed.

The wheel is written from the package as it is imported here, from a source tree or an installed distribution alike:
what serves in a bento is the code that trained. No build tool and no network are needed.
"""

from __future__ import annotations

import base64
import hashlib
import re
import tomllib
import zipfile
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PROJECT = "custid"
_PACKAGE = Path(__file__).resolve().parents[1]
_KEPT = {".py", ".typed", ".html", ".css", ".js"}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same code gives the same bytes


def write_wheel(folder: Path) -> Path:
    """Write custid's wheel into a folder; equal code gives an equal file."""
    about = distribution(PROJECT)
    tag = f"{PROJECT}-{about.version}"
    info = f"{tag}.dist-info"
    files = {f"{PROJECT}/{path.relative_to(_PACKAGE).as_posix()}": path.read_bytes() for path in _sources()}
    files[f"{info}/METADATA"] = _metadata(about).encode()
    files[f"{info}/entry_points.txt"] = (about.read_text("entry_points.txt") or "").encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: custid\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = [f"{name},sha256={_hash(content)},{len(content)}" for name, content in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    path = folder / f"{tag}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return path


def pinned() -> list[str]:
    """Everything that custid needs, and what that needs, each ``name==version`` as installed here.

    >>> any(line.startswith("numpy==") for line in pinned())
    True
    """
    found: dict[str, str] = {}
    ahead = [*_needs(_requirements(), frozenset())]
    seen: set[tuple[str, frozenset[str]]] = set()
    while ahead:
        name, extras = ahead.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue  # an alternative that this platform does without
        found[name] = f"{name}=={installed.version}"
        ahead += _needs(installed.requires or (), extras)
    return [found[name] for name in sorted(found)]


def _sources() -> Iterator[Path]:
    for path in sorted(_PACKAGE.rglob("*")):
        inside = path.relative_to(_PACKAGE)
        if path.suffix in _KEPT and path.is_file() and not any(part.startswith(".") for part in inside.parts):
            yield path


def _hash(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _requirements() -> list[str]:
    """What custid needs: of a source tree by its pyproject.toml, which may be newer than what was installed from it."""
    project = _PACKAGE.parent / "pyproject.toml"
    about = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {}) if project.exists() else {}
    if about.get("name") == PROJECT:
        return [*about["dependencies"]]
    return [line for line in distribution(PROJECT).requires or () if "extra ==" not in line]


def _metadata(about: Distribution) -> str:
    written = about.read_text("METADATA") or about.read_text("PKG-INFO") or ""  # the second beside a source tree
    head, _, text = written.partition("\n\n")
    kept = [line for line in head.splitlines() if not line.startswith(("Requires-Dist:", "Provides-Extra:"))]
    return "\n".join([*kept, *(f"Requires-Dist: {line}" for line in _requirements()), "", text])


def _needs(lines: Iterable[str], extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    from packaging.requirements import Requirement

    for line in lines:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield re.sub(r"[-_.]+", "-", requirement.name).lower(), frozenset(requirement.extras)
