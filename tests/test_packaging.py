import doctest
import importlib
import pkgutil
import re
import tomllib

import pytest

import custid

OPTIONAL = {"custid.__main__"}


def modules():
    return sorted(m.name for m in pkgutil.walk_packages(custid.__path__, "custid.") if m.name not in OPTIONAL)


def test_the_wheel_holds_every_package(root):
    listed = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    inits = sorted(p.parent.relative_to(root / "src") for p in (root / "src").rglob("__init__.py"))
    assert sorted(listed) == sorted(".".join(("custid", *p.parts)) for p in inits)
    assert listed == sorted(listed)


def test_every_folder_of_code_is_a_package(root):
    folders = {p.parent for p in (root / "src").rglob("*.py")}
    assert [f for f in folders if not (f / "__init__.py").exists()] == []


@pytest.mark.parametrize("name", modules())
def test_the_examples_in_the_docstrings_run(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).failed == 0


@pytest.mark.parametrize("name", modules())
def test_every_module_says_what_it_is(name):
    assert (importlib.import_module(name).__doc__ or "").strip()


def test_the_lock_carries_no_addresses(root):
    text = (root / "requirements.lock").read_text()
    assert "://" not in text
    pinned = {line.split("==")[0] for line in text.splitlines() if "==" in line and not line.startswith(" ")}
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[\[<>=; ]", w)[0].lower() for w in wanted}
    assert names <= pinned
