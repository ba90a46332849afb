"""The manifest of a release, as serving reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..features.table import fingerprint
from ..workspace import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a release's folder; one of a release whose features this code cannot compute is refused."""
    manifest: dict[str, Any] | None = read_json(folder / "manifest.json")
    if manifest is None:
        raise InputError(f"{folder.name}: holds no manifest.json; expected the folder of a release.")
    require_same_features(manifest)
    return manifest


def require_same_features(manifest: Mapping[str, Any]) -> None:
    """Refuse a release whose features were computed by other code than this."""
    trained = manifest["features"]
    if fingerprint(trained["tables"]) != trained["fingerprint"]:
        raise InputError(
            f"release {manifest['release']}: its models were trained on features of other code than the one installed; "
            "run `custid train CONFIG` to train on these features, or install the version that trained it "
            f"({manifest.get('code', 'not recorded')})."
        )
