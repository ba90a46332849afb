"""What docs/how-to/serve.md shows is run as it stands, at the address of the test's service."""

import re
import shutil
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "how-to" / "serve.md").read_text(encoding="utf-8")


def here(block, service):
    return block.replace("http://127.0.0.1:3000", str(service.base_url).rstrip("/"))


def test_the_lines_of_python_print_a_reason_per_task(page, service, engine):
    (block,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", here(block, service)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(engine.bundle.predictors)


def test_the_curl_commands_answer(page, service, engine):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    (block,) = (b for b in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if "curl" in b)
    done = subprocess.run(["bash", "-c", here(block, service)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(f'"release":"{engine.release}"') == 2
    assert '"error"' not in done.stdout


def test_every_address_is_on_the_page(page, service):
    paths = service.get("/v1/openapi.json").json()["paths"]
    assert [path for path in paths if path not in page] == []
