"""``custid package``: the champion as a bento that serves in a fresh environment, without a tracking server.

The bento holds the release's folders, the profiles, custid's own wheel, and what it needs, pinned to the versions
installed here, without the address of any package index.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CustidError
from ..workspace import Note, read_json, silent, write_text
from .place import champion_place
from .store import publish
from .wheel import pinned, write_wheel

if TYPE_CHECKING:
    from ..config import Config
    from ..workspace import Workspace
    from .place import Place

NAME = "custid"
_SERVED = '''"""What this bento serves: the release and the profiles beside this file."""

import os
from pathlib import Path

here = Path(__file__).resolve().parent
os.environ.setdefault("CUSTID_RELEASE", str(here / "release"))
os.environ.setdefault("CUSTID_SERVING", (here / "serving.json").read_text(encoding="utf-8"))
if (here / "profiles.db").exists():
    os.environ.setdefault("CUSTID_PROFILES", str(here / "profiles.db"))

from custid.serving.service import Custid  # noqa: E402

__all__ = ["Custid"]
'''
_BENTOFILE = """service: "served:Custid"
name: {name}
labels:
  release: "{release}"
  as_of: "{as_of}"
include: ["served.py", "serving.json", "profiles.db", "release/**"]
python:
  requirements_txt: requirements.txt
  wheels: ["{wheel}"]
  lock_packages: false
"""


def package(config: Config, ws: Workspace, out: Path | None = None, note: Note = silent) -> str:
    """Build a bento of the champion in BentoML's store; give its tag.

    Parameters
    ----------
    config, ws
        The run whose champion is packaged, with the profiles it has.
    out
        An archive to write the bento to, too (``bentoml import`` reads it).

    Raises
    ------
    InputError
        Where there is no champion, or it does not fit this code.
    CustidError
        Where BentoML cannot build.
    """
    place = champion_place(config, ws)
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        note("gathering the release, the profiles and the wheel")
        assemble(context, place, ws)
        note("building the bento")
        tag = _bentoml(context, "build", ".", "--output", "tag").rpartition("__tag__:")[2].strip()
    if out is not None:
        note(f"writing {out.name}")
        _bentoml(Path.cwd(), "export", tag, str(out.resolve()))
    return tag


def assemble(context: Path, place: Place, ws: Workspace) -> None:
    """Put everything that a bento of a release is made of into an empty folder."""
    shutil.copytree(place.release, context / "release")
    if place.profiles is not None:
        publish(ws, context / "profiles.db")
    manifest = read_json(place.release / "manifest.json")
    write_text(context / "serving.json", place.settings.model_dump_json())
    write_text(context / "served.py", _SERVED)
    write_text(context / "requirements.txt", "\n".join([*pinned(), ""]))
    wheel = write_wheel(context).name
    write_text(
        context / "bentofile.yaml",
        _BENTOFILE.format(name=NAME, release=manifest["release"], as_of=manifest["as_of"], wheel=wheel),
    )


def _bentoml(folder: Path, *words: str) -> str:
    """Run BentoML's command line, in a process of its own: building imports what it builds."""
    done = subprocess.run(
        [sys.executable, "-m", "bentoml", *words, "--quiet"],
        env={"BENTOML_DO_NOT_TRACK": "true", **os.environ},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no reason given"]
        raise CustidError(f"bentoml {words[0]}: failed ({reason[0]}).")
    return done.stdout
