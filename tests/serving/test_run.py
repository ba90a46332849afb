import socket

import pytest

from custid.config import load
from custid.errors import InputError
from custid.serving.place import Place, engine_and_profiles
from custid.serving.run import serve
from custid.workspace import Workspace


@pytest.fixture(scope="module")
def run(made):
    config = load(made.config, made.overrides)
    return config, Workspace(config.workspace)


def test_a_host_that_is_no_address(run):
    with pytest.raises(InputError, match=r"serving\.host: 'here'.*IP address"):
        serve(*run, host="here")


def test_a_port_that_is_taken(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError, match=r"serving\.port: 127\.0\.0\.1:\d+ cannot be listened on"):
            serve(*run, host="localhost", port=taken.getsockname()[1])


def test_a_workspace_without_a_champion_says_to_train(run, tmp_path):
    config = run[0].model_copy(update={"workspace": tmp_path})
    with pytest.raises(InputError, match="custid train"):
        serve(config, Workspace(tmp_path))


def test_the_environment_says_what_to_serve(made, run):
    by_config, profiles = engine_and_profiles(
        {"CUSTID_CONFIG": str(made.config), "CUSTID_WORKSPACE": str(made.workspace)}
    )
    folder = run[1].root / "releases" / by_config.release
    by_folder, none = engine_and_profiles({"CUSTID_RELEASE": str(folder)})
    assert by_folder.manifest == by_config.manifest
    assert none is None
    assert profiles.first() is not None


def test_a_place_tells_a_process_all_it_needs(run):
    config, ws = run
    engine, _ = engine_and_profiles(
        {"CUSTID_CONFIG": "", "CUSTID_RELEASE": str(next((ws.root / "releases").glob("*-*")))}
    )
    settings = config.serving.model_copy(update={"max_rows": 7})
    place = Place(ws.root / "releases" / engine.release, None, settings)
    told, profiles = engine_and_profiles(place.environment())
    assert told.rules.max_rows == 7
    assert profiles is None


def test_an_environment_that_says_nothing(tmp_path):
    with pytest.raises(InputError, match="CUSTID_CONFIG"):
        engine_and_profiles({})
    with pytest.raises(InputError, match=r"manifest\.json"):
        engine_and_profiles({"CUSTID_RELEASE": str(tmp_path)})
