"""The BentoML service ``custid``: ``bentoml serve custid.serving.service:Custid``.

Where the release is comes from the environment:

``CUSTID_RELEASE``
    A release's folder (``manifest.json`` and a folder per task); with ``CUSTID_PROFILES``, the file of published
    profiles, and ``CUSTID_SERVING``, the settings ``serving`` as JSON. What ``custid serve`` and a bento set.
``CUSTID_CONFIG``
    Else a config: its champion is looked up, and its profiles are read; ``CUSTID_WORKSPACE`` names another workspace.
"""

from __future__ import annotations

import bentoml

from .app import App
from .place import engine_and_profiles

app = App()


@bentoml.service(
    name="custid",
    workers=1,
    traffic={"timeout": 300},
    tracing={"excluded_urls": ".*"},  # the middleware costs more than an answer
    logging={"access": {"enabled": False}},
)
@bentoml.asgi_app(app, path="/", name="custid")
class Custid:
    """Scores of customers, the reasons behind them, and stored profiles."""

    def __init__(self) -> None:
        engine, profiles = engine_and_profiles()
        engine.warm()
        app.use(engine, profiles)

    def __is_ready__(self) -> bool:
        """Whether a release is loaded and has answered once."""
        return app.engine is not None
