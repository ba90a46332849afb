import nbclient
import nbformat
import pytest


@pytest.mark.filterwarnings("ignore")  # the kernel is a process of its own, with its libraries' warnings
def test_the_notebook_runs_on_a_finished_run(made, root, monkeypatch):
    monkeypatch.setenv("CUSTID_WORKSPACE", str(made.workspace))
    notebook = nbformat.read(root / "notebooks" / "explore_a_run.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "clear the outputs before committing"
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(root)}}).execute()
    tables = [o for cell in notebook.cells for o in cell.get("outputs", []) if "text/html" in o.get("data", {})]
    assert len(tables) >= 5
