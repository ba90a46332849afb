import re

import pytest

from custid import docs


@pytest.mark.parametrize("page", docs.PAGES)
def test_generated_pages_say_what_the_code_says(page, root):
    assert (root / "docs" / page).read_text(encoding="utf-8") == docs.PAGES[page](), "run: make docs"


def pages(root):
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md")), root / "data" / "README.md"]


def test_links_between_the_pages_lead_somewhere(root):
    broken = [
        f"{page.name}: {target}"
        for page in pages(root)
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_commands_that_the_pages_show_exist(root):
    from custid.cli import app

    known = {c.name or c.callback.__name__ for c in app.registered_commands}
    shown = set()
    for page in pages(root):
        for block in re.findall(r"```(?:sh|bash|console)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            shown |= set(re.findall(r"^\$?\s*(?:\.venv/bin/)?custid ([a-z]+)", block, re.MULTILINE))
    assert shown
    assert shown <= known
