"""What the README says is done as it says, on a table that custid has not seen."""

from __future__ import annotations

import random
import re
import subprocess
import sys

import pytest

from custid.config import parse


@pytest.fixture(scope="module")
def readme(root):
    return (root / "README.md").read_text(encoding="utf-8")


def test_the_config_that_is_shown_is_one(readme):
    (block,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    config = parse(block, "README.md")
    assert config.sources[0].columns["record_id"] == "Customer ID"
    assert config.needs_horizon().days == 180


def test_the_files_that_are_named_come_out(readme, made):
    (table,) = re.findall(r"## What comes out\n\n(.*?)\n\n##", readme, re.DOTALL)
    names = re.findall(r"`([^`]+)`", table)[0:]
    assert len(names) > 5
    assert [n for n in names if not (made.workspace / n).exists()] == []


def test_init_and_run_as_shown(readme, tmp_path, quick):
    rng = random.Random(11)
    lines = ["Kunde;Bestellnummer;Bestelldatum;Artikel;Menge;Einzelpreis"]
    for customer in range(160):
        for _ in range(rng.choice([1, 1, 2, 5, 8])):
            day, month = 1 + rng.randrange(28), 1 + rng.randrange(12)
            lines.append(
                f"K{customer};{len(lines)};{day:02d}.{month:02d}.2023 1{rng.randrange(10)}:30;"
                f"A{rng.randrange(30)};{rng.randint(1, 4)};{rng.randint(2, 60)},95"
            )
    (tmp_path / "orders.csv").write_text("\n".join(lines) + "\n", encoding="cp1252")

    def custid(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "custid", *words], cwd=tmp_path, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "custid init orders.csv --out shop.yaml" in readme
    custid("init", "orders.csv", "--out", "shop.yaml")
    quickly = [word for pair in quick for word in ("--set", pair)]
    told = custid("run", "shop.yaml", *quickly)
    report = re.search(r"Report: +(\S+)", told)
    assert report
    assert (tmp_path / report[1]).read_text(encoding="utf-8").startswith("<!")
    assert "Nothing to do" in custid("run", "shop.yaml", *quickly)
