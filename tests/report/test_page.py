"""The page: every section says what the inputs say, and nothing in the inputs can break out of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from custid.report.inputs import Inputs
from custid.report.page import COLUMNS, embedded, page

MakeInputs = Callable[..., Inputs]
VOID = {"meta", "link", "br", "hr", "img", "input", "path"}


class Read(HTMLParser):
    """Checks that every element is closed in order, and collects the text and what is loaded from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.loaded: list[str] = []
        self.ids: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.loaded += [str(found[name]) for name in ("src", "href", "action") if name in found]
        self.ids += [str(found["id"])] if "id" in found else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def test_it_is_whole_and_loads_nothing(make_inputs: MakeInputs) -> None:
    read = Read(page(make_inputs()))
    assert read.loaded
    assert all(target.startswith("#") for target in read.loaded)
    assert {target[1:] for target in read.loaded} <= set(read.ids)
    assert len(read.ids) == len(set(read.ids))


def test_what_customers_are_called_is_shown_and_never_run(make_inputs: MakeInputs) -> None:
    text = page(make_inputs())
    assert "<script>alert" not in text
    assert text.count("<script") == 2
    read = Read(text)
    assert '<script>alert("客户 & co")</script>' in read.text
    assert "高价值 & loyal" in read.text
    assert "<b>Once</b>" in read.text
    assert "Call <now>" in read.text


def test_every_figure_of_the_headline_is_there(make_inputs: MakeInputs) -> None:
    inputs = make_inputs()
    value, churn = inputs.value(), inputs.columns["p_churn"]
    text = Read(page(inputs)).text
    assert f"Customers 200 bought or subscribed before {inputs.as_of:%-d %B %Y}" in text
    assert f"£{value.sum() / 1000:.1f}k" in text
    assert f"{100 * value[:20].sum() / value.sum():.0f}%" in text
    assert f"Likely leaving {(churn >= 0.5).sum()}" in text


def test_a_baseline_that_is_not_beaten_is_said(make_inputs: MakeInputs) -> None:
    text = Read(page(make_inputs())).text
    assert "The model does not beat the best baseline (RFM points)" in text
    assert "The model is level with the best baseline (BG/NBD formula)" in text
    assert "The season of the test is not the season of the forecast." in text
    assert "On the test period it did for 77%" in text


def test_whom_to_watch_and_who_may_buy_first_is_said(make_inputs: MakeInputs) -> None:
    inputs = make_inputs()
    text = Read(page(inputs)).text
    assert (
        f"About {inputs.columns['p_intent'].sum():.0f} of 200 customers are expected to buy within the next 7" in text
    )
    assert "2 of 200 customers (1.0%) behave less usually" in text
    assert "4 people are known who have not bought yet: 3 registered and 1 known from visits alone." in text
    assert "Of them, 1 first purchases and £75.00 are expected in the next 90 days." in text
    assert "£60.00 75% registered ▲ Days since the last purchase: 0" in text


def test_without_these_tasks_there_are_no_such_sections(make_inputs: MakeInputs) -> None:
    text = page(make_inputs(without=("p_intent", "risk"), prospects=None))
    assert 'id="watch"' not in text
    assert 'id="prospects"' not in text


def test_the_data_add_up_on_the_page(make_inputs: MakeInputs) -> None:
    text = Read(page(make_inputs())).text
    assert "1,000 rows from till.csv" in text
    assert "750 used" in text
    assert "150 after the day of the report" in text
    assert "100 set aside" in text
    assert "no customer 90 (9.0%)" in text
    assert "exact repetitions 5 (0.5%)" in text
    assert "Dates were read as day/month/year." in text


@pytest.mark.parametrize(
    ("without", "said"),
    [
        (("segment",), "the task segments did not run"),
        (("p_churn",), "leaving was not predicted (task churn)"),
        (("expected_value", "expected_value_low", "expected_value_high"), "was not predicted (task clv)"),
        (("p_high_value",), "Nobody can be potential"),
        (
            ("segment", "p_high_value", "expected_value", "expected_value_low", "expected_value_high"),
            "Nobody can be VIP",
        ),
    ],
)
def test_what_did_not_run_is_left_out_with_a_sentence(
    make_inputs: MakeInputs, without: tuple[str, ...], said: str
) -> None:
    assert said in Read(page(make_inputs(without=without))).text


def test_without_metrics_quality_and_release_it_says_so(make_inputs: MakeInputs) -> None:
    text = Read(page(make_inputs(metrics={}, quality={}, release={}, drivers={}, tracking=""))).text
    assert "there is no metrics.json" in text
    assert "there is no quality.json" in text
    assert "What drives it is left out" in text


def test_one_customer_is_enough(make_inputs: MakeInputs) -> None:
    assert "Customers 1" in Read(page(make_inputs(count=1))).text


def test_the_list_to_take_away_holds_the_customers_as_they_are(make_inputs: MakeInputs) -> None:
    inputs = make_inputs(count=3000)
    found = re.search(r'id="customers">(.*?)</script>', page(inputs), re.DOTALL)
    assert found
    taken = json.loads(found[1])
    assert taken["columns"] == [name for name in COLUMNS if inputs.has(name)]
    assert len(taken["rows"]) == 1000
    first = dict(zip(taken["columns"], taken["rows"][0], strict=True))
    assert first["customer_id"] == inputs.columns["customer_id"][0]
    assert first["expected_value"] == pytest.approx(inputs.columns["expected_value"][0], abs=0.005)
    assert len({row[0] for row in taken["rows"]}) == 1000


def test_the_same_inputs_give_the_same_page(make_inputs: MakeInputs) -> None:
    assert page(make_inputs()) == page(make_inputs())


@pytest.mark.parametrize("value", ["</script><script>", "<!--", "\u2028", ["客户", 1.5, None], {"a": "&lt;"}])
def test_embedded_values_stay_inside_their_element(value: object) -> None:
    text = embedded(value)
    assert "<" not in text
    assert "\u2028" not in text
    assert json.loads(text) == value
