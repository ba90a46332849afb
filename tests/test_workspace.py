import os
import subprocess
import sys

import pyarrow as pa
import pytest

from custid.errors import CustidError, InputError
from custid.workspace import Workspace, digest, discard, read_json, replacing, write_json, write_parquet


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})

    def fail():
        with replacing(path) as draft:
            draft.write_text("half of")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert read_json(path) == {"old": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_nothing_written_is_an_error(tmp_path):
    with pytest.raises(CustidError, match="nothing was written"), replacing(tmp_path / "a.txt"):
        pass


def test_equal_tables_give_equal_bytes(tmp_path):
    table = pa.table({"a": [1, 2, 3]})
    write_parquet(tmp_path / "one" / "x.parquet", table)
    write_parquet(tmp_path / "two" / "x.parquet", table)
    assert digest(tmp_path / "one" / "x.parquet") == digest(tmp_path / "two" / "x.parquet")


def test_json_holds_no_nan(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"x": float("nan")})


def test_one_run_at_a_time(tmp_path):
    workspace = Workspace(tmp_path).create()
    code = (
        "import sys, pathlib\nfrom custid.workspace import Workspace\n"
        "with Workspace(pathlib.Path(sys.argv[1])).lock():\n    print('held', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline().strip() == b"held"
        with pytest.raises(InputError, match="in use"), workspace.lock():
            pass
        other.kill()
    with workspace.lock():
        assert True


@pytest.mark.skipif(os.name == "nt", reason="permissions are POSIX")
def test_an_unwritable_workspace_is_named(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("not a folder")
    with pytest.raises(InputError, match=r"workspace: .*file.* cannot be written to"):
        Workspace(blocker / "ws").create()


def test_discard_takes_files_folders_and_nothing(tmp_path):
    (tmp_path / "folder" / "deep").mkdir(parents=True)
    (tmp_path / "file").touch()
    for name in ("folder", "file", "none"):
        discard(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
