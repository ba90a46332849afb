"""The HTTP side: routes, limits, and an answer to every mistake.

A small ASGI application that answers every address but those of health and metrics, so that none of BentoML's own
pages is reached. Every answer, errors included, is JSON with ``request_id``, ``release`` and ``as_of``; errors are one
sentence about the request and nothing else.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import anyio
import anyio.to_thread
import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route, Router

from ..errors import CustidError
from .openapi import document, page
from .refusal import RequestError, shown
from .schema import parse

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from starlette.requests import Request as HttpRequest
    from starlette.types import Receive, Scope, Send

    from .engine import Engine
    from .schema import Request
    from .store import Profiles

    Answer = Callable[[Request], list[dict[str, Any]]]

SMALL = 32_768  # bytes of a request that is answered without handing the work to a thread
_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_JSON = msgspec.json.Encoder()
_HEADERS = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
_log = logging.getLogger("custid.serving")


class App:
    """The routes of the service over a loaded release.

    ``engine`` and ``profiles`` are set before the first request; ``profiles`` is None where none are published.
    """

    engine: Engine | None = None
    profiles: Profiles | None = None

    def __init__(self) -> None:
        self._bulk: anyio.CapacityLimiter | None = None
        self._router = Router(
            [
                Route("/v1/score", self._score, methods=["POST"]),
                Route("/v1/explain", self._explain, methods=["POST"]),
                Route("/v1/customers/{customer_id:path}", self._customer, methods=["GET"]),
                Route("/v1/models", self._models, methods=["GET"]),
                Route("/v1/openapi.json", self._openapi, methods=["GET"]),
                Route("/v1/docs", self._docs, methods=["GET"]),
                Route("/", self._front, methods=["GET"]),
            ],
            redirect_slashes=False,
        )

    def use(self, engine: Engine, profiles: Profiles | None) -> None:
        """Answer with this release and these profiles from now on."""
        self.engine, self.profiles = engine, profiles

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens on the way."""
        given = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"), "")
        request_id = given if _ID.fullmatch(given) else uuid4().hex
        scope["custid.request_id"] = request_id
        try:
            await self._router(scope, receive, send)
            return
        except ClientDisconnect:
            return
        except RequestError as error:
            answer = self._refuse(request_id, error.status, str(error), error.field)
        except HTTPException as error:
            answer = self._refuse(request_id, error.status_code, _SENTENCES[error.status_code], headers=error.headers)
        except CustidError as error:
            answer = self._refuse(request_id, 422, str(error))
        except Exception:
            _log.exception("request %s failed", request_id)
            answer = self._refuse(request_id, 500, "The service failed on this request; its log tells more.")
        await answer(scope, receive, send)

    async def _score(self, request: HttpRequest) -> Response:
        engine = self._ready()
        return await self._answered(request, engine, engine.score)

    async def _explain(self, request: HttpRequest) -> Response:
        engine = self._ready()
        return await self._answered(request, engine, engine.explain)

    async def _answered(self, request: HttpRequest, engine: Engine, answer: Answer) -> Response:
        """Small requests of features are answered at once; large ones and raw records in a thread, one at a time."""
        body = await self._body(request, engine)
        if len(body) <= SMALL:
            asked = parse(body, engine.rules)
            if asked.features is not None:
                return self._reply(request, engine, asked.as_of, {"scores": answer(asked)})
        return await anyio.to_thread.run_sync(self._at_length, request, engine, answer, body, limiter=self._one_bulk())

    def _at_length(self, request: HttpRequest, engine: Engine, answer: Answer, body: bytes) -> Response:
        asked = parse(body, engine.rules)
        return self._reply(request, engine, asked.as_of, {"scores": answer(asked)})

    def _one_bulk(self) -> anyio.CapacityLimiter:
        self._bulk = self._bulk or anyio.CapacityLimiter(1)
        return self._bulk

    async def _customer(self, request: HttpRequest) -> Response:
        self._ready()
        customer_id = request.path_params["customer_id"]
        profile = self.profiles.get(customer_id) if self.profiles is not None else None
        if profile is None:
            raise RequestError(
                404, f"customer {shown(customer_id)}: no profile of that id is published.", "customer_id"
            )
        about = {"request_id": request.scope["custid.request_id"], "release": profile.pop("release")}
        return _respond({**about, "as_of": profile.pop("as_of"), "customer": profile})

    async def _models(self, request: HttpRequest) -> Response:
        engine = self._ready()
        about = {name: engine.manifest.get(name) for name in ("name", "horizon_days", "created", "currency", "models")}
        features = [
            {**msgspec.to_builtins(feature), "needed": feature.name in engine.rules.needed}
            for feature in engine.features
        ]
        more = {"tables": engine.rules.tables, "max_rows": engine.rules.max_rows, "features": features}
        return self._reply(request, engine, engine.as_of, {**about, **more})

    async def _openapi(self, request: HttpRequest) -> Response:
        return _respond(document(self._ready(), self.profiles), request.scope["custid.request_id"])

    async def _docs(self, request: HttpRequest) -> Response:
        text = page(document(self._ready(), self.profiles))
        return HTMLResponse(text, headers={**_HEADERS, "x-request-id": request.scope["custid.request_id"]})

    async def _front(self, request: HttpRequest) -> Response:
        return RedirectResponse("v1/docs", headers={**_HEADERS, "x-request-id": request.scope["custid.request_id"]})

    def _ready(self) -> Engine:
        if self.engine is None:
            raise RequestError(503, "The service is starting; ask again in a moment.")
        return self.engine

    async def _body(self, request: HttpRequest, engine: Engine) -> bytes:
        """The body, if it is said to be JSON and not too large; counted, since a length may be absent or wrong."""
        kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise RequestError(415, f"Content-Type: {shown(kind)}; expected application/json.", "Content-Type")
        most = engine.settings.max_bytes
        length = request.headers.get("content-length", "0")
        chunks, size = [], int(length) if length.isdecimal() else 0
        if size <= most:
            size = 0
            async for chunk in request.stream():
                chunks.append(chunk)
                size += len(chunk)
                if size > most:
                    break
        if size > most:
            raise RequestError(413, f"The body is larger than {most:,} bytes; expected fewer customers in a request.")
        return b"".join(chunks)

    def _reply(self, request: HttpRequest, engine: Engine, as_of: date, answer: dict[str, Any]) -> Response:
        about = {"request_id": request.scope["custid.request_id"], "release": engine.release, "as_of": as_of}
        return _respond({**about, **answer})

    def _refuse(self, request_id: str, status: int, message: str, field: str = "", headers: Any = None) -> Response:
        engine = self.engine
        about = {
            "request_id": request_id,
            "release": engine.release if engine else None,
            "as_of": engine.as_of if engine else None,
        }
        return _respond({**about, "error": message, "field": field or None}, None, status, headers)


_SENTENCES = {
    404: "There is no such address; /v1/openapi.json lists those there are.",
    405: "This address does not take that method; /v1/openapi.json lists those it takes.",
}


def _respond(answer: dict[str, Any], request_id: str | None = None, status: int = 200, headers: Any = None) -> Response:
    known = {**_HEADERS, **(headers or {}), "x-request-id": request_id or answer["request_id"]}
    return Response(_JSON.encode(answer), status, known, "application/json")
