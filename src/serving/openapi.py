"""The service's own description: an OpenAPI 3.1 document of the release it serves, and a page that shows it.

The document is written from what the release asks for (its features, its tables) and what it answers (its scores), and
its examples are requests that were answered to write it.
"""

from __future__ import annotations

from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING, Any

import msgspec

from .. import __version__
from ..tables import SPECS, Kind
from .rows import MOST, MOST_IN_ROWS, row_columns
from .schema import parse

if TYPE_CHECKING:
    from .engine import Engine
    from .store import Profiles

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_IN_ROWS: Schema = {"type": "number", "minimum": -MOST_IN_ROWS, "maximum": MOST_IN_ROWS}
_KINDS: dict[Kind, Schema] = {
    Kind.TEXT: {"type": "string", "maxLength": 10_000},
    Kind.TIME: {"type": "string", "description": "ISO 8601; without a zone, UTC"},
    Kind.FIXED: _IN_ROWS,
    Kind.NUMBER: _IN_ROWS,
    Kind.FLAG: {"type": "boolean"},
}
_ABOUT: Schema = {
    "request_id": {"type": "string", "description": "the request's X-Request-ID, or one made for it"},
    "release": {"type": "string", "description": "the release that answered"},
    "as_of": {"type": "string", "format": "date", "description": "the day that the answer stands on"},
}
_REASON: Schema = {
    "type": "object",
    "description": "a part of a score; the contributions of a task's reasons sum to the score on its link",
    "properties": {
        "task": _TEXT,
        "feature": _TEXT,
        "text": _TEXT,
        "value": {"type": ["number", "null"]},
        "low": {"type": ["number", "null"], "description": "the usual range starts here (10 % lie below)"},
        "high": {"type": ["number", "null"], "description": "the usual range ends here (90 % lie below)"},
        "contribution": _NUMBER,
    },
    "required": ["task", "feature", "text", "value", "low", "high", "contribution"],
}
_STYLE = (
    "body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "pre{overflow:auto;max-height:24rem;background:#f4f4f4;padding:1rem}"
)
_MISTAKES = {
    400: "The body is not JSON.",
    404: "There is no such customer.",
    413: "The body is too large, or holds too many customers.",
    415: "The body is said not to be JSON.",
    422: "The body is JSON, but not a request that can be answered: the sentence says what is wrong and where.",
    503: "The service is starting.",
}


def document(engine: Engine, profiles: Profiles | None) -> Schema:
    """The OpenAPI document of a release."""
    body = {"schema": {"$ref": "#/components/schemas/Request"}, "examples": _examples(engine)}
    customer = profiles.first() if profiles is not None else None
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"custid: {engine.manifest.get('name', 'scores')}",
            "version": __version__,
            "description": "Scores of customers, the reasons behind them, and stored profiles. "
            f"Serves release {engine.release}, as of {engine.as_of}.",
        },
        "servers": [{"url": "/"}],
        "paths": {
            "/v1/score": {"post": _post("score", "Scores of customers", engine, body, "Scores")},
            "/v1/explain": {"post": _post("explain", "Scores and their reasons", engine, body, "Explanations")},
            "/v1/customers/{customer_id}": {"get": _customer(customer)},
            "/v1/models": {"get": _get("models", "The release, its models and features", {"$ref": _ref("Models")})},
            "/v1/openapi.json": {"get": _get("openapi", "This document", {"type": "object"})},
            "/v1/docs": {"get": _page_answer()},
        },
        "components": {"schemas": _schemas(engine)},
    }


def page(doc: Schema) -> str:
    """The document as a page to read: every address, what it takes and gives, with examples."""
    parts = [f"<h1>{escape(doc['info']['title'])}</h1><p>{escape(doc['info']['description'])}</p>"]
    parts.append('<p>The same for programs: <a href="openapi.json">openapi.json</a></p>')
    for path, methods in doc["paths"].items():
        for method, about in methods.items():
            parts.append(f"<h2><code>{method.upper()} {escape(path)}</code></h2><p>{escape(about['summary'])}</p>")
            for name, example in _shown_examples(about):
                text = msgspec.json.format(msgspec.json.encode(example), indent=2).decode()
                parts.append(f"<h3>{escape(name)}</h3><pre>{escape(text)}</pre>")
            answers = "".join(
                f"<li><b>{code}</b> {escape(answer['description'])}</li>" for code, answer in about["responses"].items()
            )
            parts.append(f"<h3>Answers</h3><ul>{answers}</ul>")
    head = f'<meta charset="utf-8"><title>{escape(doc["info"]["title"])}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>'


def _shown_examples(about: Schema) -> list[tuple[str, Any]]:
    media = about.get("requestBody", {}).get("content", {}).get("application/json", {})
    asked = [(f"Request: {e['summary']}", e["value"]) for e in media.get("examples", {}).values()]
    given = about["responses"]["200"].get("content", {}).get("application/json", {}).get("example")
    return asked + ([("Answer", given)] if given is not None else [])


def _examples(engine: Engine) -> Schema:
    """Requests that this release answers: a usual customer's features, and a short history."""
    usual = {n: ends for p in engine.bundle.predictors.values() for n, ends in p.usual.items()}
    features = {
        name: float(usual[name][1]) if name in usual and usual[name][1] == usual[name][1] else None
        for name in engine.rules.kinds
        if name in engine.rules.needed
    }
    examples = {
        "features": {
            "summary": "features by name",
            "value": {"customers": [{"customer_id": "12345", "features": features}]},
        }
    }
    days = [(engine.as_of - timedelta(days=d)).isoformat() for d in (75, 40, 9)]
    if "transactions" in engine.rules.tables:
        rows = [
            {"ts": f"{day}T12:30:00", "amount": 20.0 + 5 * i, "order_id": f"A{i + 1}"} for i, day in enumerate(days)
        ]
        records: Schema = {"customer_id": "12345", "transactions": rows}
    elif "observations" in engine.rules.tables:
        records = {"customer_id": "12345", "observations": [_observation(engine, features)]}
    else:
        records = {"customer_id": "12345", engine.rules.tables[0]: [{"started_at": f"{days[0]}T00:00:00"}]}
    summary = "a customer's records, in plain units"
    examples["records"] = {"summary": summary, "value": {"customers": [records], "as_of": engine.as_of.isoformat()}}
    return examples


def _observation(engine: Engine, features: Schema) -> Schema:
    """The attributes of a usual customer, as a row of the table has them."""
    kinds = engine.rules.attributes
    return {
        name: bool(value) if kinds[name] == "flag" else value
        for name, value in features.items()
        if name in kinds and value is not None
    }


def _post(name: str, summary: str, engine: Engine, body: Schema, schema: str) -> Schema:
    asked = parse(msgspec.json.encode(body["examples"]["features"]["value"]), engine.rules)
    about = {"request_id": "3f2c9a", "release": engine.release, "as_of": engine.as_of.isoformat()}
    answer = {**about, "scores": msgspec.to_builtins(getattr(engine, name)(asked))}
    return {
        "operationId": name,
        "summary": summary,
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": {
            "200": _answer(f"{summary}, in the order of the request.", {"$ref": _ref(schema)}, answer),
            **_mistakes(400, 413, 415, 422, 503),
        },
    }


def _get(name: str, summary: str, schema: Schema) -> Schema:
    responses = {"200": _answer(f"{summary}.", schema), **_mistakes(503)}
    return {"operationId": name, "summary": summary, "responses": responses}


def _customer(example: str | None) -> Schema:
    parameter: Schema = {"name": "customer_id", "in": "path", "required": True, "schema": {"type": "string"}}
    if example is not None:
        parameter["example"] = example
    return {
        "operationId": "customer",
        "summary": "The stored profile of a customer",
        "parameters": [parameter],
        "responses": {
            "200": _answer("Scores, tier, lifecycle, next action and reasons.", {"$ref": _ref("Customer")}),
            **_mistakes(404, 503),
        },
    }


def _page_answer() -> Schema:
    content = {"text/html": {"schema": _TEXT}}
    responses = {"200": {"description": "A page to read.", "content": content}, **_mistakes(503)}
    return {"operationId": "docs", "summary": "This document as a page", "responses": responses}


def _answer(description: str, schema: Schema, example: Any = None) -> Schema:
    media = {"schema": schema} if example is None else {"schema": schema, "example": example}
    headers = {"X-Request-ID": {"description": "the same as request_id", "schema": _TEXT}}
    return {"description": description, "headers": headers, "content": {"application/json": media}}


def _mistakes(*codes: int) -> Schema:
    return {str(code): _answer(_MISTAKES[code], {"$ref": _ref("Error")}) for code in codes}


def _ref(name: str) -> str:
    return f"#/components/schemas/{name}"


def _object(properties: Schema, required: list[str] | None = None, **more: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": required or [*properties], **more}


def _schemas(engine: Engine) -> Schema:
    scores = {
        name: {"type": "string" if name == "segment" else "number"}
        for predictor in engine.bundle.predictors.values()
        for name in predictor.outputs
    }
    score = {"customer_id": {"type": ["string", "null"]}, **scores}
    part = _object({"output": _TEXT, "link": _TEXT, "reasons": {"type": "array", "items": {"$ref": _ref("Reason")}}})
    why = _object(dict.fromkeys(engine.bundle.predictors, part))
    nothing = {name: {"type": [*_listed(schema), "null"]} for name, schema in _ABOUT.items()}
    error = {**nothing, "request_id": _TEXT, "error": _TEXT, "field": {"type": ["string", "null"]}}
    tables = {table: _table(table, engine) for table in engine.rules.tables}
    return {
        "Request": _request(engine, tables),
        "Features": _features(engine),
        "Scores": _object({**_ABOUT, "scores": {"type": "array", "items": _object(score)}}),
        "Explanations": _object(
            {**_ABOUT, "scores": {"type": "array", "items": _object({**score, "explanations": why})}}
        ),
        "Customer": _object({**_ABOUT, "customer": _object({"customer_id": _TEXT, **scores})}),
        "Models": _object({**_ABOUT, "models": {"type": "object"}, "features": {"type": "array"}}),
        "Reason": _REASON,
        "Error": _object(error),
    }


def _listed(schema: Schema) -> list[str]:
    return [schema["type"]]


def _request(engine: Engine, tables: Schema) -> Schema:
    customer_id = {"type": ["string", "null"], "minLength": 1, "maxLength": 256}
    by_name = _object(
        {"customer_id": customer_id, "features": {"$ref": _ref("Features")}}, ["features"], additionalProperties=False
    )
    by_records = _object(
        {"customer_id": customer_id, **tables}, additionalProperties=False, required=[next(iter(tables))]
    )
    many = {"type": "array", "minItems": 1, "maxItems": engine.rules.max_rows}
    customers = {"oneOf": [{**many, "items": by_name}, {**many, "items": by_records}]}
    as_of = {
        "type": "string",
        "format": "date",
        "description": f"the day to stand on, {engine.as_of} by default; records must lie before it",
    }
    return _object({"customers": customers, "as_of": as_of}, ["customers"], additionalProperties=False)


def _features(engine: Engine) -> Schema:
    properties = {
        feature.name: {
            "type": ["string" if feature.kind == "category" else "number", "null"],
            **({} if feature.kind == "category" else {"minimum": -MOST, "maximum": MOST}),
            "description": f"{feature.about} ({feature.unit})",
        }
        for feature in engine.features
    }
    needed = [name for name in properties if name in engine.rules.needed]
    return _object(properties, needed, additionalProperties=False)


def _table(name: str, engine: Engine) -> Schema:
    columns = row_columns(SPECS[name], engine.rules.attributes)
    properties = {column.name: {**_KINDS[column.kind], "description": column.about} for column in columns}
    row = _object(properties, [column.name for column in columns if column.required], additionalProperties=False)
    return {"type": "array", "description": SPECS[name].about, "items": row}
