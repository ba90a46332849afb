from custid.errors import ConfigError, CustidError, DataError, TooFewCustomersError, nearest


def test_the_users_mistakes_end_in_2_and_ours_in_1():
    assert CustidError.exit_code == 1
    assert {ConfigError.exit_code, DataError.exit_code, TooFewCustomersError.exit_code} == {2}


def test_nearest_names_a_close_word_only():
    assert "horizon" in nearest("horizont", ["horizon", "seed"])
    assert nearest("x", ["horizon", "seed"]) == ""
