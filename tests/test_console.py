from custid import console


def test_without_a_terminal_progress_is_quiet(capsys):
    with console.progress("train") as note:
        note("trial 1 of 2")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_square_brackets_in_data_are_no_markup(capsys):
    console.say("[red]not red[/red]")
    assert capsys.readouterr().out == "[red]not red[/red]\n"


def test_a_table_shows_numbers_as_people_write_them(capsys):
    console.show("Rows", ["source", "rows", "share"], [["shop", 1234567, 0.25]])
    text = capsys.readouterr().out
    assert "1,234,567" in text
    assert "0.250" in text
