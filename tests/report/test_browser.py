"""The page in a real browser: charts have a size, nothing sticks out, nothing is asked of the network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shutil
import struct
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from custid.report.inputs import Inputs
from custid.report.page import page

if TYPE_CHECKING:
    from pathlib import Path

MakeInputs = Callable[..., Inputs]

# Runs after the page's own script: what was drawn, what sticks out, what was fetched, what the button would save.
PROBE = """
const sizes = (name) => [...document.querySelectorAll(name)].map((e) => e.getBoundingClientRect());
const seen = { blobs: [] };
URL.createObjectURL = (blob) => { seen.blobs.push(blob); return "blob:none"; };
addEventListener("load", async () => {
  document.querySelector("#take-away button").click();
  const csv = await seen.blobs[0].text();
  parent.postMessage(JSON.stringify({
    width: innerWidth,
    over: document.documentElement.scrollWidth - innerWidth,
    charts: [...document.querySelectorAll("[data-chart]")].map((e) => e.dataset.chart),
    empty: sizes("[data-chart], [data-chart] svg").filter((r) => r.width < 40 || r.height < 10).length,
    bars: sizes("[data-chart] i.bar, .columns i").filter((r) => r.width > 0).length,
    line: Math.max(0, ...[...document.querySelectorAll("path.line")].map((p) => p.getTotalLength())),
    fetched: performance.getEntriesByType("resource").map((e) => e.name),
    ground: getComputedStyle(document.body).backgroundColor,
    csv: csv.split("\\r\\n").length,
    first: csv.slice(0, 12),
  }), "*");
});
"""


@pytest.fixture(scope="session")
def browser() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium is installed")
    return found


def opened(browser: str, file: Path, *options: str) -> str:
    """What a fresh browser, without any network, prints when it opens a file."""
    profile = file.parent / "profile"
    done = subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"),
            *("--disable-background-networking", "--disable-component-update", "--hide-scrollbars"),
            *("--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=5000", f"--user-data-dir={profile}"),
            *(*options, file.as_uri()),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    shutil.rmtree(profile, ignore_errors=True)
    if done.returncode:
        pytest.skip(f"Chromium does not start here: {done.stderr.strip()[-200:]}")
    return done.stdout


def probed(browser: str, text: str, folder: Path, *options: str, width: int = 1280) -> dict[str, Any]:
    """What the probe saw on a page, in a frame of that width; the page's own policy lets it in under its digest."""
    digest = base64.b64encode(hashlib.sha256(PROBE.encode()).digest()).decode()
    file = folder / "report.html"
    probe = f"<script>{PROBE}</script></body>"
    file.write_text(text.replace("script-src ", f"script-src 'sha256-{digest}' ").replace("</body>", probe), "utf-8")
    frame = folder / "frame.html"
    frame.write_text(
        f'<body><iframe src="report.html" width="{width}" height="900" style="border:0"></iframe>'
        "<script>addEventListener('message', (m) => { document.body.dataset.probe = m.data; });</script>",
        "utf-8",
    )
    seen = re.search(r'data-probe="([^"]*)"', opened(browser, frame, "--dump-dom", *options))
    assert seen, "the page's scripts did not run to their end"
    found: dict[str, Any] = json.loads(html.unescape(seen[1]))
    return found


@pytest.mark.parametrize("width", [1280, 390])
def test_charts_are_drawn_and_nothing_is_fetched(
    browser: str, make_inputs: MakeInputs, tmp_path: Path, width: int
) -> None:
    seen = probed(browser, page(make_inputs()), tmp_path, width=width)
    assert seen["width"] == width
    assert {"groups", "lorenz", "histogram", "bands", "drivers", "dots", "calibration", "rows"} <= set(seen["charts"])
    assert seen["empty"] == 0
    assert seen["bars"] > 30
    assert seen["line"] > 100
    assert seen["over"] <= 0
    assert seen["fetched"] == []


def test_the_list_can_be_taken_away(browser: str, make_inputs: MakeInputs, tmp_path: Path) -> None:
    seen = probed(browser, page(make_inputs()), tmp_path)
    assert seen["csv"] == 202
    assert "customer_id".startswith(seen["first"].lstrip("\ufeff")[:11])


def test_it_follows_the_reader_into_the_dark(browser: str, make_inputs: MakeInputs, tmp_path: Path) -> None:
    text = page(make_inputs())
    light = probed(browser, text, tmp_path)["ground"]
    dark = probed(browser, text, tmp_path, "--blink-settings=preferredColorScheme=0")["ground"]
    assert sum(map(int, re.findall(r"\d+", light))) > 600
    assert sum(map(int, re.findall(r"\d+", dark))) < 150


def test_a_picture_of_it_is_not_blank(browser: str, make_inputs: MakeInputs, tmp_path: Path) -> None:
    file, picture = tmp_path / "report.html", tmp_path / "report.png"
    file.write_text(page(make_inputs()), "utf-8")
    opened(browser, file, "--window-size=1280,2000", f"--screenshot={picture}")
    data = picture.read_bytes()
    assert struct.unpack(">II", data[16:24]) == (1280, 2000)
    assert len(data) > 50_000
