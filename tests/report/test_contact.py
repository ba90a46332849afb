import re

import pytest

from custid.config import parse
from custid.report.contact import contact
from custid.report.page import page
from custid.report.swayed import swayed
from custid.report.words import leaving_means

CHURN = {
    "model": {
        name: {"value": value, "low": None, "high": None}
        for name, value in {"emp": 10.3, "contact_share": 0.5, "contact_from": 0.17}.items()
    },
    "baselines": {"logistic": {"emp": {"value": 10.1, "low": 9.0, "high": 11.0}}},
    "curves": {"profit": [[0.0, 0.0], [0.5, 10.0], [1.0, -2.0]]},
    "snapshot": "2011-03-12",
    "n": 100,
}
UPLIFT = {
    "model": {
        name: {"value": value, "low": 0.0, "high": 1.0}
        for name, value in {"qini": 0.06, "uplift_30": 0.072, "average_effect": 0.045}.items()
    },
    "baselines": {"response": {"qini": {"value": 0.04, "low": 0.02, "high": 0.05}}},
    "curves": {"qini": [[0.0, 0.0], [0.3, 0.01], [1.0, 0.02]], "money": False},
    "snapshot": "2011-03-12",
    "n": 100,
}


def plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_profit_view_says_how_many_to_contact_and_at_which_costs(make_inputs):
    found = contact(make_inputs(metrics={"churn": CHURN}))
    assert found is not None
    assert "Contacting 50% of customers pays best: £10.30 per customer, £10.10 with the best baseline" in found.sentence
    assert "a chance of leaving of 17% or more" in found.sentence
    assert "A customer who stays counts £200, an offer £10.00, a contact £1.00; 30% of leavers accept" in found.sentence
    assert found.curve.marks[0].x == pytest.approx(50.0)


def test_without_a_measured_profit_nothing_is_said(make_inputs):
    assert contact(make_inputs()) is None
    assert "Whom it pays to contact" not in page(make_inputs())


def test_uplift_is_told_in_percent_or_in_money(make_inputs):
    shares = swayed(make_inputs(metrics={"uplift": UPLIFT}))
    assert "changed the outcome by 4.5% on average, and by 7.2% among the 30%" in shares.sentence
    assert "the first 30% bring 50% of it" in shares.curve.marks[0].text
    in_money = {**UPLIFT, "curves": {**UPLIFT["curves"], "money": True}}
    assert "by £0.04 on average" in swayed(make_inputs(metrics={"uplift": in_money})).sentence


def test_the_page_has_both(make_inputs):
    text = plain(page(make_inputs(metrics={"churn": CHURN, "uplift": UPLIFT})))
    assert "Whom it pays to contact" in text
    assert "Whom contact changes" in text
    assert "Qini area" in text


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("transactions", "no purchase in the next 30 days"),
        ("subscriptions", "the end of the last open subscription in the next 30 days"),
        ("observations", "what the table's label calls leaving"),
    ],
)
def test_leaving_is_said_by_its_form(table, said):
    config = parse(f"horizon: 30d\nsources: [{{name: a, table: {table}, uri: a.csv}}]", "a.yaml")
    assert leaving_means(config, 30) == said
