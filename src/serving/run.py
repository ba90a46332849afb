"""``custid serve``: the champion over HTTP, by BentoML's own server."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from typing import TYPE_CHECKING

from ..errors import InputError
from .place import champion_place

if TYPE_CHECKING:
    from ..config import Config
    from ..workspace import Workspace

SERVICE = "custid.serving.service:Custid"


def serve(config: Config, ws: Workspace, host: str | None = None, port: int | None = None) -> None:
    """Serve the champion of a workspace until the process is stopped; does not return.

    Parameters
    ----------
    config, ws
        The run whose champion and profiles are served.
    host, port
        Where to listen; the config's ``serving.host`` and ``serving.port`` by default.

    Raises
    ------
    InputError
        Where there is no champion, it does not fit this code, or the address cannot be listened on.
    """
    place = champion_place(config, ws)
    host, port = _free(host or config.serving.host, port or config.serving.port)
    shown = f"[{host}]" if ":" in host else host
    print(f"Serving on http://{shown}:{port} (docs: http://{shown}:{port}/v1/docs); Ctrl+C stops.", flush=True)
    quiet = {"BENTOML_DO_NOT_TRACK": "true", **os.environ}
    command = [sys.executable, "-m", "bentoml", "serve", SERVICE, "--host", host, "--port", str(port)]
    os.execve(sys.executable, command, {**quiet, **place.environment()})


def _free(host: str, port: int) -> tuple[str, int]:
    """The address as numbers, if it can be listened on."""
    plain = "127.0.0.1" if host == "localhost" else host
    try:
        family = socket.AF_INET6 if ipaddress.ip_address(plain).version == 6 else socket.AF_INET
    except ValueError:
        raise InputError(f"serving.host: {host!r}; expected an IP address, such as 127.0.0.1 or 0.0.0.0.") from None
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((plain, port))
        except OSError as error:
            raise InputError(
                f"serving.port: {plain}:{port} cannot be listened on ({error.strerror}); expected a free address."
            ) from None
    return plain, port
