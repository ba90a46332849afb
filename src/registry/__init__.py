"""Releases: saved, promoted, fetched, looked at.

Takes the folders of trained models and a manifest that names them; gives numbered versions in MLflow's model registry,
releases of which one is the champion, and local copies whose every file is checked. A release is the version of a model
whose only content is its manifest, and one alias on it says which release is the champion: moving it changes all tasks
at once. Never runs, unpickles or imports anything that came from the registry, and never trains or scores.
"""

from __future__ import annotations

from .client import Store, quieted, tracking_uri
from .overview import Sheet
from .releases import Registry, Release

__all__ = ["Registry", "Release", "Sheet", "Store", "quieted", "tracking_uri"]
