import asyncio
import datetime as dt
import json
import math
import re

import httpx
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custid.models.bundle import Bundle
from custid.serving.app import App
from custid.serving.schema import parse
from custid.serving.store import Profiles, publish
from custid.tables import SCALE, SPECS, Kind
from custid.workspace import Workspace, read_json, write_parquet

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def ws(made):
    return Workspace(made.workspace)


@pytest.fixture(scope="module")
def features(ws, engine):
    table = pq.read_table(ws.features)
    return table.select(["customer_id", "as_of", *(f.name for f in engine.features)])


@pytest.fixture(scope="module")
def scores(ws):
    return {row["customer_id"]: row for row in pq.read_table(ws.scores).to_pylist()}


def asked(rows):
    """The body of a request for feature rows."""
    rows = [dict(row) for row in rows]
    return {"customers": [{"customer_id": r.pop("customer_id"), "features": r} for r in rows if r.pop("as_of")]}


def post(service, path, value):
    body = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return service.post(path, content=body, headers=JSON)


def logit(p):
    return math.log(p / (1 - p))


LINKS = {"logit": logit, "log": math.log, "identity": float}


def test_a_thousand_rows_over_http_equal_the_batch_to_the_bit(service, features, scores):
    rows = features.to_pylist()
    rows = (rows * (1000 // len(rows) + 1))[:1000]
    answers = post(service, "/v1/score", asked(rows)).json()["scores"]
    assert [a["customer_id"] for a in answers] == [r["customer_id"] for r in rows]
    for answer in answers:
        batch = scores[answer["customer_id"]]
        assert {name: batch[name] for name in answer} == answer


def test_one_row_at_a_time_gives_the_same(service, features, scores):
    for row in features.slice(0, 25).to_pylist():
        answer = post(service, "/v1/score", asked([row])).json()
        assert answer["scores"][0].items() <= scores[row["customer_id"]].items()
        assert answer["release"] == scores[row["customer_id"]]["release"]


def test_the_order_of_features_and_of_customers_changes_nothing(service, features):
    rows = features.slice(0, 40).to_pylist()
    backwards = [dict(reversed(row.items())) for row in reversed(rows)]
    one, other = (post(service, "/v1/score", asked(r)).json()["scores"] for r in (rows, backwards))
    assert one == other[::-1]


def test_scores_equal_those_of_the_bundle_in_this_process(service, engine, features):
    expected = engine.bundle.predict(features).to_pylist()
    answers = post(service, "/v1/score", asked(features.to_pylist())).json()["scores"]
    assert all(answer.items() <= row.items() for answer, row in zip(answers, expected, strict=True))


def test_reasons_sum_to_the_score(service, features, scores):
    for answer in post(service, "/v1/explain", asked(features.slice(0, 60).to_pylist())).json()["scores"]:
        batch = scores[answer["customer_id"]]
        for task, why in answer["explanations"].items():
            told = math.fsum(reason["contribution"] for reason in why["reasons"])
            if isinstance(batch[why["output"]], float):
                assert told == pytest.approx(LINKS[why["link"]](batch[why["output"]]), abs=1e-9), task
            assert all(reason["text"] and reason["task"] == task for reason in why["reasons"])


def test_explanations_carry_the_scores(service, features):
    rows = features.slice(0, 5).to_pylist()
    scored, explained = (post(service, f"/v1/{path}", asked(rows)).json()["scores"] for path in ("score", "explain"))
    assert [{k: v for k, v in e.items() if k != "explanations"} for e in explained] == scored


def plain(table, row):
    """A canonical row as a client would send it: plain units, times as text, without what only ingest knows."""
    spec = SPECS[table]
    out = {"source": row["source"]}
    for column in spec.columns:
        value = row.get(column.name)
        if column.name == "ingested_at" or value is None:
            continue
        out[column.name] = (
            value / SCALE
            if column.kind == Kind.FIXED
            else value.isoformat()
            if isinstance(value, dt.datetime)
            else value
        )
    return out


def histories(ws, tables, customers):
    """The raw rows of some customers, as ingest read them, by table."""
    identity = {
        (r["source"], r["record_id"]): r["customer_id"]
        for r in pq.read_table(ws.identity).to_pylist()
        if r["customer_id"] in customers
    }
    bodies = {customer: {"customer_id": customer} for customer in customers}
    for table in tables:
        for row in pq.read_table(ws.table(table)).to_pylist():
            customer = identity.get((row["source"], row["record_id"]))
            if customer is not None:
                bodies[customer].setdefault(table, []).append(plain(table, row))
    return [bodies[customer] for customer in customers]


def test_raw_records_give_the_features_of_the_batch(ws, engine, features):
    customers = features["customer_id"].to_pylist()[:40]
    bodies = histories(ws, engine.rules.tables, customers)
    as_of = features["as_of"][0].as_py().isoformat()
    request = parse(msgspec.json.encode({"customers": bodies, "as_of": as_of}), engine.rules)
    made = engine.features_of(request)
    for name in sorted(engine.rules.needed):
        ours, batch = made[name].to_pylist(), features[name].to_pylist()[: len(customers)]
        if pa.types.is_string(features[name].type):
            assert ours == batch, name
        else:
            np.testing.assert_allclose(
                np.array(ours, float), np.array(batch, float), rtol=1e-9, atol=1e-9, err_msg=name
            )


def test_raw_records_over_http_give_the_scores_of_the_batch(service, ws, engine, scores):
    customers = list(scores)[:10]
    bodies = histories(ws, engine.rules.tables, customers)
    as_of = scores[customers[0]]["as_of"].isoformat()
    answers = post(service, "/v1/score", {"customers": bodies, "as_of": as_of})
    assert answers.status_code == 200, answers.text
    for answer in answers.json()["scores"]:
        for name, value in answer.items():
            batch = scores[answer["customer_id"]][name]
            assert value == (pytest.approx(batch, rel=1e-6) if isinstance(batch, float) else batch)


def test_a_customer_who_never_bought_is_refused_by_place(service, engine):
    table = engine.rules.tables[0] if "transactions" not in engine.rules.tables else "transactions"
    answer = post(service, "/v1/score", {"customers": [{"customer_id": "ann", table: []}]})
    assert answer.status_code == 422
    assert "customers[0]: nothing bought before" in answer.json()["error"]


def test_the_profile_of_a_customer(service, ws, scores):
    profiles = pq.read_table(ws.profiles).to_pylist()
    for profile in profiles[:20]:
        answer = service.get(f"/v1/customers/{profile['customer_id']}").json()
        assert answer["customer"]["customer_id"] == profile["customer_id"]
        assert answer["customer"]["tier"] == profile["tier"]
        assert answer["customer"]["reasons"] == profile["reasons"]
        assert answer["release"] == scores[profile["customer_id"]]["release"]


def test_a_profile_of_another_release_than_the_loaded_one_says_its_own(engine, ws, features, tmp_path):
    """A release that becomes champion while the service runs: its profiles are read before its models are loaded."""
    other = Workspace(tmp_path)
    known = pq.read_table(ws.profiles).slice(0, 1)
    at, day = known.column_names.index("release"), dt.date(2031, 5, 1)
    newer = known.set_column(at, "release", [["99-newer"]]).set_column(1, "as_of", [pa.array([day])])
    write_parquet(other.profiles, newer)
    app = App()
    app.use(engine, Profiles(publish(other)))

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
            one = msgspec.json.encode(asked(features.slice(0, 1).to_pylist()))
            return await client.get(f"/v1/customers/{known['customer_id'][0]}"), await client.post(
                "/v1/score", content=one
            )

    stored, scored = (answer.json() for answer in asyncio.run(ask()))
    assert (stored["release"], stored["as_of"]) == ("99-newer", day.isoformat())
    assert (scored["release"], scored["as_of"]) == (engine.release, engine.as_of.isoformat())


@pytest.mark.parametrize(
    "customer_id", ["nobody", "%00", "..%2F..%2Fetc%2Fpasswd", "'%20OR%201=1--", "%FF%FE", "a" * 5000, "%2e%2e"]
)
def test_an_unknown_customer_is_404_and_tells_nothing_else(service, customer_id):
    answer = service.get(f"/v1/customers/{customer_id}")
    assert answer.status_code == 404
    assert re.search(r"sqlite|select|\.py|/home|/tmp|traceback", answer.text, re.IGNORECASE) is None


def test_every_answer_says_the_release_the_day_and_the_request(service, ws, features):
    release = pq.read_table(ws.scores)["release"][0].as_py()
    customer = features["customer_id"][0].as_py()
    one = asked(features.slice(0, 1).to_pylist())
    answers = [
        post(service, "/v1/score", one),
        post(service, "/v1/explain", one),
        post(service, "/v1/score", b"{"),
        service.get(f"/v1/customers/{customer}"),
        service.get("/v1/customers/nobody"),
        service.get("/v1/models"),
        service.get("/v1/nowhere"),
        service.get("/v1/score"),
    ]
    assert [a.status_code for a in answers] == [200, 200, 400, 200, 404, 200, 404, 405]
    for answer in answers:
        body = answer.json()
        assert (body["release"], body["as_of"]) == (release, features["as_of"][0].as_py().isoformat())
        assert body["request_id"] == answer.headers["x-request-id"]
    assert len({a.headers["x-request-id"] for a in answers}) == len(answers)


def test_a_request_id_is_given_back_unless_it_is_odd(service):
    assert service.get("/v1/models", headers={"X-Request-ID": "order-7"}).json()["request_id"] == "order-7"
    odd = service.get("/v1/models", headers={"X-Request-ID": "a b\t<script>"}).json()["request_id"]
    assert re.fullmatch(r"[0-9a-f]{32}", odd)


def test_the_models_of_the_release(service, engine):
    body = service.get("/v1/models").json()
    assert set(body["models"]) == engine.bundle.tasks
    assert {f["name"] for f in body["features"] if f["needed"]} == set(engine.rules.needed)
    assert all(f["about"] and f["unit"] for f in body["features"])


BROKEN = {
    "not JSON": (b"hello", 400),
    "a list": (b"[]", 422),
    "NaN": (b'{"customers": [{"features": {"purchases": NaN}}]}', 400),
    "deep": (b"[" * 1_000_000, 400),
    "unknown feature": (b'{"customers": [{"features": {"nonsense": 1}}]}', 422),
    "missing features": (b'{"customers": [{"features": {}}]}', 422),
    "no purchase": (b'{"customers": [{"transactions": [{"ts": "2000-01-01", "amount": -5}]}]}', 422),
    "unknown column": (b'{"customers": [{"transactions": [{"when": 1}]}]}', 422),
    "a body of 40 MB": (b" " * 40_000_000, 413),
    "a number beyond single precision": (b'{"customers": [{"features": {"age": 1e308}}]}', 422),
    "a SQL fragment": (b'{"customers": [{"features": {"x\'; DROP TABLE profiles; --": 1}}]}', 422),
}


@pytest.mark.parametrize("path", ["/v1/score", "/v1/explain"])
@pytest.mark.parametrize(("body", "status"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_request_gets_a_sentence_and_reveals_nothing(service, path, body, status):
    answer = post(service, path, body)
    assert answer.status_code == status
    told = answer.json()
    assert told["error"].endswith((".", "?"))
    assert (
        re.search(r"traceback|\.py|file \"|/site-packages|duckdb|xgboost|msgspec", answer.text, re.IGNORECASE) is None
    )


@pytest.mark.parametrize("value", [1e308, -1e308, 3.5e38, 10**60])
def test_a_number_that_the_models_cannot_hold_is_refused_by_name(service, features, value):
    row = {**features.slice(0, 1).to_pylist()[0], "age": value}
    answer = post(service, "/v1/score", asked([row]))
    assert answer.status_code == 422
    assert answer.json()["field"] == "customers[0].features.age"
    assert "between -3.4e38 and 3.4e38" in answer.json()["error"]


@pytest.mark.parametrize("path", ["/v1/score", "/v1/explain"])
@pytest.mark.parametrize("value", [3.4e38, -3.4e38, 1e-300, -0.0])
def test_a_number_at_the_edge_is_answered_in_numbers_or_refused(service, features, engine, path, value):
    usual = features.slice(0, 1).to_pylist()[0]
    kinds = engine.rules.kinds
    row = {name: value if kinds.get(name) == "number" else known for name, known in usual.items()}
    answer = post(service, path, asked([row]))
    assert answer.status_code in (200, 422), answer.text
    if answer.status_code == 200:
        assert None not in answer.json()["scores"][0].values()


def test_a_day_at_the_edge_of_time_is_answered_or_refused(service, engine):
    for as_of, ts in (("9999-12-31", "9999-12-30"), ("0001-01-02", "0001-01-01"), ("2024-01-01", "1000-01-01")):
        rows = [{"ts": ts, "amount": 1e12}, {"ts": ts, "amount": 0.00001}]
        answer = post(service, "/v1/explain", {"customers": [{"transactions": rows}], "as_of": as_of})
        assert answer.status_code in (200, 422), answer.text


def test_too_many_customers(service, engine):
    body = {"customers": [{"features": {}}] * (engine.rules.max_rows + 1)}
    answer = post(service, "/v1/score", body)
    assert answer.status_code == 413
    assert f"{engine.rules.max_rows:,}" in answer.json()["error"]


def test_a_body_that_is_not_said_to_be_json(service):
    answer = service.post("/v1/score", data={"customers": "1"})
    assert answer.status_code == 415
    assert "application/json" in answer.json()["error"]


def test_a_body_sent_in_pieces_is_counted(service):
    answer = service.post("/v1/score", content=(b" " * 1_000_000 for _ in range(40)), headers=JSON)
    assert answer.status_code == 413


def test_health(service):
    assert [service.get(path).status_code for path in ("/healthz", "/livez", "/readyz")] == [200, 200, 200]


def test_the_document_lists_every_address_and_its_examples_work(service):
    doc = service.get("/v1/openapi.json").json()
    assert set(doc["paths"]) == {
        "/v1/score",
        "/v1/explain",
        "/v1/customers/{customer_id}",
        "/v1/models",
        "/v1/openapi.json",
        "/v1/docs",
    }
    tried = 0
    for path, methods in doc["paths"].items():
        if "post" in methods:
            for name, example in methods["post"]["requestBody"]["content"]["application/json"]["examples"].items():
                answer = post(service, path, example["value"])
                assert answer.status_code == 200, (path, name, answer.text)
                documented = methods["post"]["responses"]["200"]["content"]["application/json"]
                assert set(answer.json()) == set(documented["example"])
                tried += 1
        elif "parameters" in methods["get"]:
            customer = methods["get"]["parameters"][0]["example"]
            assert service.get(path.format(customer_id=customer)).status_code == 200
        else:
            assert service.get(path).status_code == 200
    assert tried == 4


def test_the_examples_of_answers_are_what_is_answered(service):
    doc = service.get("/v1/openapi.json").json()
    for path in ("/v1/score", "/v1/explain"):
        operation = doc["paths"][path]["post"]
        asked_ = operation["requestBody"]["content"]["application/json"]["examples"]["features"]["value"]
        shown = operation["responses"]["200"]["content"]["application/json"]["example"]
        assert post(service, path, asked_).json()["scores"] == shown["scores"]


def references(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_the_document_has_what_it_refers_to(service):
    doc = service.get("/v1/openapi.json").json()
    known = {f"#/components/schemas/{name}" for name in doc["components"]["schemas"]}
    assert set(references(doc)) <= known
    assert all(
        operation["responses"].keys() >= {"200", "503"} and operation["summary"]
        for methods in doc["paths"].values()
        for operation in methods.values()
    )


def test_the_page_shows_the_addresses_and_needs_nobody_else(service):
    page = service.get("/v1/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "POST /v1/explain" in page.text
    assert re.search(r"(src|href)=\"(https?:)?//", page.text) is None


def test_the_front_page_leads_to_the_document_and_loads_nothing(service):
    front = service.get("/")
    assert front.status_code == 307
    assert service.get("/", follow_redirects=True).text == service.get("/v1/docs").text


@pytest.mark.parametrize("path", ["/docs.json", "/static_content/swagger-ui.css", "/assets/index.js", "/index.html"])
def test_pages_of_the_server_itself_are_not_there(service, path):
    answer = service.get(path)
    assert answer.status_code == 404
    assert "/v1/openapi.json" in answer.json()["error"]


def test_the_service_serves_the_champion_as_it_was_trained(service, ws, engine):
    body = service.get("/v1/models").json()
    folder = ws.root / "releases" / body["release"]
    assert read_json(folder / "manifest.json")["models"] == body["models"]
    assert Bundle.load(folder).tasks == set(body["models"])
    assert json.loads(json.dumps(body))["as_of"] == engine.as_of.isoformat()
