"""Where the service finds its release and profiles: the environment says."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..config.settings import ServingSettings
from ..errors import InputError
from .engine import Engine
from .manifest import require_same_features
from .store import Profiles, publish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config import Config
    from ..workspace import Workspace


@dataclass(frozen=True)
class Place:
    """A release's folder, the file of published profiles if there is one, and the settings ``serving``."""

    release: Path
    profiles: Path | None
    settings: ServingSettings

    def environment(self) -> dict[str, str]:
        """The variables by which a service process is told of this place."""
        told = {"CUSTID_RELEASE": str(self.release.resolve()), "CUSTID_SERVING": self.settings.model_dump_json()}
        return {**told, "CUSTID_PROFILES": str(self.profiles.resolve()) if self.profiles else ""}


def engine_and_profiles(env: Mapping[str, str] | None = None) -> tuple[Engine, Profiles | None]:
    """Load what the environment names.

    Raises
    ------
    InputError
        Where it names nothing, or what it names cannot be served.
    """
    place = _named(os.environ if env is None else env)
    profiles = Profiles(place.profiles) if place.profiles else None
    return Engine(place.release, place.settings), profiles


def champion_place(config: Config, ws: Workspace) -> Place:
    """Fetch the champion and publish the profiles of a workspace; profiles are left out where there are none yet."""
    from ..registry import Registry
    from .score import champion

    registry = Registry(config, ws)
    release = champion(registry)
    require_same_features(release.manifest)
    folder = registry.fetch(release)
    profiles = publish(ws) if ws.profiles.exists() else None
    return Place(folder, profiles, config.serving)


def _named(env: Mapping[str, str]) -> Place:
    if env.get("CUSTID_RELEASE"):
        settings = env.get("CUSTID_SERVING")
        return Place(
            Path(env["CUSTID_RELEASE"]),
            Path(env["CUSTID_PROFILES"]) if env.get("CUSTID_PROFILES") else None,
            ServingSettings.model_validate_json(settings) if settings else ServingSettings(),
        )
    if not env.get("CUSTID_CONFIG"):
        raise InputError(
            "The service does not know what to serve; expected CUSTID_CONFIG (a config file) or CUSTID_RELEASE "
            "(a release's folder) in the environment."
        )
    from ..config import load
    from ..workspace import Workspace

    where = env.get("CUSTID_WORKSPACE")
    config = load(Path(env["CUSTID_CONFIG"]), [f"workspace={where}"] if where else [])
    return champion_place(config, Workspace(config.workspace))
