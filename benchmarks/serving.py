"""Latency and throughput of one customer's features with reasons, on loopback: the service beside a bare FastAPI app.

    python benchmarks/serving.py CONFIG [--requests 2000] [--connections 8]

CONFIG must have a champion (``custid run CONFIG``). Both servers have one worker and one thread for the models; the
bare app validates with pydantic, calls the same predictors, and gives contributions without words. The load generator
is part of what is measured, and shares the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

BARE = """
from datetime import date
import os
import pathlib

import pyarrow as pa
from fastapi import FastAPI
from pydantic import BaseModel

from custid.models.bundle import Bundle

bundle = Bundle.load(pathlib.Path(os.environ["CUSTID_RELEASE"]))
app = FastAPI()


class Customer(BaseModel):
    features: dict[str, float | str | None]


class Question(BaseModel):
    customers: list[Customer]


@app.post("/v1/explain")
async def explain(question: Question) -> dict:
    rows = [{"customer_id": str(i), "as_of": date(2000, 1, 1), **c.features} for i, c in enumerate(question.customers)]
    features = pa.Table.from_pylist(rows)
    scores = bundle.predict(features)
    parts = {task: predictor.contributions(features) for task, predictor in bundle.predictors.items()}
    values = {task: dict(zip(p.names, p.values[0].tolist())) for task, p in parts.items()}
    return {"scores": scores.drop_columns("as_of").to_pylist(), "contributions": values}


@app.get("/readyz")
async def readyz() -> str:
    return "ready"
"""


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("config", type=Path, nargs="?", default="data/demo/custid.yaml", help="the demo's without")
    words.add_argument("--requests", type=int, default=2000)
    words.add_argument("--connections", type=int, default=8)
    asked = words.parse_args()

    from custid.config import load
    from custid.serving.engine import Engine
    from custid.serving.place import champion_place
    from custid.workspace import Workspace

    config = load(asked.config)
    place = champion_place(config, Workspace(config.workspace))
    body = one_customer(Engine(place.release, place.settings), Workspace(config.workspace))
    env = {**os.environ, **place.environment(), "OMP_NUM_THREADS": "1", "BENTOML_DO_NOT_TRACK": "true"}
    with tempfile.TemporaryDirectory() as folder:
        servers = {
            "custid (BentoML)": [sys.executable, "-m", "bentoml", "serve", "custid.serving.service:Custid", "--port"]
        }
        if find_spec("fastapi") and find_spec("uvicorn"):
            (Path(folder) / "bare.py").write_text(BARE, encoding="utf-8")
            servers["bare FastAPI"] = [sys.executable, "-m", "uvicorn", "bare:app", "--log-level", "warning", "--port"]
        print(f"release {place.release.name}, {asked.requests} requests of one customer with reasons")
        print(f"{'':20}{'1 connection':>30}{f'{asked.connections} connections':>22}")
        print(f"{'':20}{'p50 ms':>10}{'p99 ms':>10}{'req/s':>10}{'p99 ms':>12}{'req/s':>10}")
        for name, command in servers.items():
            with running(command, Path(folder), env) as port:
                asyncio.run(load_of(port, body, 100, 1))
                alone = asyncio.run(load_of(port, body, asked.requests, 1))
                many = asyncio.run(load_of(port, body, asked.requests, asked.connections))
            one, eight = summary(*alone), summary(*many)
            print(f"{name:20}{one[0]:10.2f}{one[1]:10.2f}{one[2]:10.0f}{eight[1]:12.2f}{eight[2]:10.0f}")


def one_customer(engine, ws) -> bytes:
    import pyarrow.parquet as pq

    names = [f.name for f in engine.features if f.name in engine.rules.needed]
    row = pq.read_table(ws.features, columns=names).slice(0, 1).to_pylist()[0]
    return json.dumps({"customers": [{"features": row}]}).encode()


@contextmanager
def running(command: list[str], folder: Path, env: dict[str, str]) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([*command, str(port)], cwd=folder, env=env, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not ready(port):
            if time.monotonic() > deadline or process.poll() is not None:
                raise SystemExit(f"{command[2]}: did not start")
            time.sleep(0.2)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def ready(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
            link.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return b" 200 " in link.recv(200)
    except OSError:
        return False


async def load_of(port: int, body: bytes, requests: int, connections: int) -> tuple[list[float], float]:
    """Seconds of each request, and of all together; each connection asks again as soon as it is answered."""
    took: list[float] = []
    started = time.perf_counter()
    await asyncio.gather(*(ask(port, body, requests // connections, took) for _ in range(connections)))
    return took, time.perf_counter() - started


async def ask(port: int, body: bytes, times: int, took: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"POST /v1/explain HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    for _ in range(times):
        start = time.perf_counter()
        writer.write(head.encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b" 200 " not in answer.partition(b"\r\n")[0]:
            raise SystemExit(answer.decode())
        await reader.readexactly(int(answer.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        took.append(time.perf_counter() - start)
    writer.close()


def summary(took: list[float], whole: float) -> tuple[float, float, float]:
    """Median and 99th percentile in milliseconds, and requests per second."""
    ordered = sorted(took)
    return 1e3 * ordered[len(ordered) // 2], 1e3 * ordered[int(len(ordered) * 0.99)], len(took) / whole


if __name__ == "__main__":
    main()
