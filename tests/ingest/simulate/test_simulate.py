from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from custid.config import load
from custid.errors import InputError
from custid.ingest.simulate import simulate
from custid.ingest.simulate.settings import FILES
from custid.ingest.simulate.write import BLOCK, ROW_GROUP
from custid.tables import SPECS

CUSTOMERS = 3_000
END = datetime(2025, 1, 1)


class Company:
    """The files of one simulation, read once."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.config = simulate(out, customers=CUSTOMERS, seed=11)
        text = {"dtype": str, "keep_default_na": False}
        self.orders = pd.read_csv(out / "shop/orders.csv", **text)
        self.accounts = pd.read_csv(out / "shop/customers.csv", **text)
        self.members = pd.read_csv(out / "pos/members.csv", sep=";", **text)
        self.sales, self.users, self.events, self.feedback, self.contacts, self.plans = (
            pd.read_parquet(out / name)
            for name in (
                "pos/sales.parquet",
                "app/users.parquet",
                "app/events.parquet",
                "app/feedback.parquet",
                "app/campaigns.parquet",
                "app/subscriptions.parquet",
            )
        )
        self.people, self.identity, self.effects = (
            pd.read_parquet(out / f"truth/{name}.parquet") for name in ("customers", "identity", "campaigns")
        )

    def person(self, source: str, records: pd.Series) -> pd.Series:
        mine = self.identity[self.identity.source == source].set_index("record_id").person
        return records.map(mine)

    def lines(self) -> pd.DataFrame:
        """Readable lines of both tills, in UTC, with the person; test orders left out."""
        shop = pd.DataFrame(
            {
                "person": self.person("shop", self.orders.customer_no),
                "order": self.orders.order_no,
                "ts": pd.to_datetime(self.orders.placed_at, errors="coerce", format="%Y-%m-%d %H:%M:%S"),
                "amount": pd.to_numeric(self.orders.line_total, errors="coerce"),
            }
        )
        pos = pd.DataFrame(
            {
                "person": self.person("pos", self.sales.member),
                "order": self.sales.receipt,
                "ts": self.sales.sold_at - timedelta(hours=8),
                "amount": self.sales.total,
            }
        )
        lines = pd.concat([shop, pos], ignore_index=True).dropna()
        return lines[lines.person != "TEST"]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    return Company(tmp_path_factory.mktemp("company"))


def contents(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in FILES.values()}


def test_same_arguments_give_the_same_bytes_and_another_seed_other_ones(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("two", 1), ("other", 2)):
        simulate(tmp_path / name, customers=BLOCK + 150, seed=seed, months=8)
    one, two, other = (contents(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert all(one[name] != other[name] for name in FILES.values())


def test_files_do_not_depend_on_how_many_people_are_held(tmp_path: Path) -> None:
    for name, chunk in (("few", 1), ("many", 7_000)):
        simulate(tmp_path / name, customers=7_000, chunk=chunk)
    assert contents(tmp_path / "few") == contents(tmp_path / "many")
    events = pq.read_metadata(tmp_path / "few" / FILES["app_events"])
    assert [events.row_group(i).num_rows for i in range(events.num_row_groups - 1)] == [ROW_GROUP]


def test_people_are_drawn_block_by_block_and_written_chunk_by_chunk(tmp_path: Path) -> None:
    done: list[tuple[int, int]] = []
    simulate(tmp_path, customers=3_500, months=5, chunk=1_500, progress=lambda now, total: done.append((now, total)))
    assert done == [(2_000, 3_500), (3_500, 3_500)]


def test_an_interrupted_simulation_leaves_the_old_files_and_no_halves(tmp_path: Path) -> None:
    simulate(tmp_path, customers=80, months=5)
    before = contents(tmp_path)

    def stop(now: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(tmp_path, customers=90, months=5, seed=8, progress=stop)
    assert contents(tmp_path) == before
    assert not list(tmp_path.rglob("*.part"))


def test_people_buy_only_between_their_first_contact_and_their_leaving(company: Company) -> None:
    lines = company.lines().merge(company.people[["person", "started_at", "left_at"]], on="person")
    purchases = lines[lines.order.str.match("[WT]") & (lines.amount > 0)]
    assert (purchases.ts >= purchases.started_at).all()
    assert not (purchases.ts > purchases.left_at).any()
    assert purchases.left_at.notna().any()


def test_no_row_lies_outside_the_simulated_days(company: Company) -> None:
    ts = company.lines().ts
    assert datetime(2023, 1, 1) <= ts.min()
    assert ts.max() < END
    for frame, column in (
        (company.events, "at"),
        (company.feedback, "at"),
        (company.contacts, "closed_at"),
        (company.plans, "begun"),
    ):
        assert (frame[column].dt.tz_localize(None) < END).all()


def test_records_add_up_to_the_truth_but_for_what_cannot_be_used(company: Company) -> None:
    lines = company.lines()
    assert lines.amount.sum() == pytest.approx(company.people.net_spend.sum(), rel=0.04)
    orders = lines[lines.order.str.match("[WT]")].groupby("person").order.nunique()
    truth = company.people.set_index("person").orders
    assert (orders <= truth.reindex(orders.index)).all()
    assert (orders.reindex(truth.index).fillna(0) == truth).mean() > 0.93


def test_people_leave_for_reasons_and_many_buy_once(company: Company) -> None:
    people = company.people
    assert (people.left_at.isna() | (people.left_at > people.started_at)).all()
    assert set(people.left_because) == {"", "drifted away", "one purchase", "bad experience", "after a purchase"}
    assert (people.left_because.eq("") == people.left_at.isna()).all()
    assert (people.active_at_end == ~(people.left_at < END)).all()
    assert people.loc[~people.active_at_end, "orders_ahead"].eq(0).all()
    assert 0.15 < people.orders.eq(1).mean() < 0.45
    assert 0.35 < people.orders_ahead.eq(0)[people.orders > 0].mean() < 0.8


def test_expected_orders_ahead_are_near_those_that_come(company: Company) -> None:
    people = company.people[company.people.active_at_end]
    assert people.orders_ahead.sum() == pytest.approx(people.expected_orders_ahead.sum(), rel=0.15)
    assert people.orders_ahead.corr(people.expected_orders_ahead) > 0.4


def test_spend_follows_traits(company: Company) -> None:
    people = company.people[company.people.orders > 0]
    per_order = np.log(people.net_spend.clip(lower=1) / people.orders)
    assert per_order.corr(people.income) > 0.2
    assert np.log(people.orders).corr(np.log(people.orders_per_day)) > 0.3


def test_december_sells_more_than_february(company: Company) -> None:
    lines = company.lines()
    of_2024 = lines[lines.ts.dt.year == 2024].ts.dt.month.value_counts()
    assert of_2024[12] > 1.4 * of_2024[2]


def test_visits_thin_out_before_people_drift_away(company: Company) -> None:
    people = company.people[(company.people.left_because == "drifted away") & company.people.uses_app]
    people = people[(people.left_at - people.started_at).dt.days > 200].set_index("person")
    visits = company.events.drop_duplicates("visit_id")
    person = company.person("app", visits.user_id)
    ahead = (person.map(people.left_at) - visits["at"].dt.tz_localize(None)).dt.days
    assert ahead.between(0, 29).sum() < 0.7 * ahead.between(120, 149).sum()


def test_the_random_control_measures_the_true_uplift(company: Company) -> None:
    both = company.contacts.assign(uplift=company.effects.uplift, anyway=company.effects.would_buy_anyway)
    assert 0.55 < both.treated.mean() < 0.65
    assert (both.responded == both.anyway)[~both.treated].all()

    def measured(rows: pd.DataFrame) -> tuple[float, float]:
        there, kept = rows.responded[rows.treated], rows.responded[~rows.treated]
        error = np.sqrt(there.var() / len(there) + kept.var() / len(kept))
        return float(there.mean() - kept.mean()), float(error)

    effect, error = measured(both)
    assert abs(effect - both.uplift.mean()) < 4 * error
    # Who is moved how far is no matter of chance: persons whose contacts move them most, and those put off.
    person = company.people.set_index("person").uplift.reindex(company.effects.person).to_numpy()
    assert measured(both[person > 0.1])[0] > 0.05
    assert (both.uplift < 0).any()
    assert (company.people.uplift < 0).any()


def test_every_record_belongs_to_one_person(company: Company) -> None:
    identity = company.identity
    assert not identity.duplicated(["source", "record_id"]).any()
    assert set(identity.person) == {*company.people.person, "TEST"}
    for source, registers, uses in (
        ("shop", company.accounts.customer_no, [company.orders.customer_no]),
        ("pos", company.members.member_key, [company.sales.member.dropna()]),
        (
            "app",
            company.users.user_id,
            [frame.user_id for frame in (company.events, company.feedback, company.contacts, company.plans)],
        ),
    ):
        known = set(identity.record_id[identity.source == source])
        assert set(registers) == known
        for records in uses:
            assert set(records) - {""} <= known
    assert (identity.groupby("person").source.nunique() > 1).mean() > 0.4
    assert identity.duplicated(["source", "person"]).any()


def test_nothing_is_missing_where_it_must_not_be(company: Company) -> None:
    gaps = {
        "pos_sales": {"member", "dept"},
        "app_users": {"birth_date", "gender"},
        "app_events": {"item"},
        "app_feedback": {"comment"},
        "app_subscriptions": {"ended"},
        "truth_customers": {"left_at"},
    }
    for name, file in FILES.items():
        if file.endswith(".parquet"):
            table = pq.read_table(company.out / file)
            empty = {c for c in table.column_names if table[c].null_count}
            assert empty <= gaps.get(name, set()), name
            assert len(table) > 0, name
    assert company.feedback.score.between(0, 1).all()
    assert not company.people.select_dtypes("float").isna().any().any()


def test_few_rows_are_unusable(company: Company) -> None:
    orders, sales = company.orders, company.sales
    bad = (
        orders.customer_no.eq("")
        | pd.to_numeric(orders.line_total, errors="coerce").isna()
        | pd.to_datetime(orders.placed_at, errors="coerce", format="%Y-%m-%d %H:%M:%S").isna()
    )
    share = (bad.sum() + sales.member.isna().sum()) / (len(orders) + len(sales))
    assert 0.004 < share < 0.02


HAN = re.compile(r"[\u4e00-\u9fff]")


def _names_differ(c: Company) -> bool:
    names = c.users.display_name.str.lower().groupby(c.person("app", c.users.user_id)).first()
    typed = c.members.full_name.str.lower().groupby(c.person("pos", c.members.member_key)).first()
    both = pd.concat([names, typed], axis=1, join="inner")
    return bool(0.1 < (both.iloc[:, 0] != both.iloc[:, 1]).mean() < 0.9)


def _swapped(c: Company) -> bool:
    from custid.ingest.simulate.names import FAMILY_WEST, GIVEN_WEST_F

    return bool((c.accounts.first_name.isin(FAMILY_WEST) & c.accounts.last_name.isin(GIVEN_WEST_F)).any())


def _shared_phone(c: Company) -> bool:
    digits = c.users.phone.str.replace(r"\D", "", regex=True).str[-8:]
    people = c.person("app", c.users.user_id)[digits != ""].groupby(digits[digits != ""]).nunique()
    return bool((people > 1).any())


def _shared_address(c: Company) -> bool:
    person = c.person("shop", c.accounts.customer_no)
    return bool((person.groupby([c.accounts.street, c.accounts.apartment]).nunique() > 1).any())


def _cancelled(c: Company) -> bool:
    void = c.orders[c.orders.order_no.str.startswith("CW")]
    return len(void) > 0 and set(void.order_no.str[1:]) <= set(c.orders.order_no)


def _returned(c: Company) -> bool:
    back = c.sales[c.sales.receipt.str.startswith("R")]
    goods = back[~back.article.isin(["ADJUST"])]
    return len(back) > 0 and bool((goods.total < 0).all()) and set(back.receipt.str[1:]) <= set(c.sales.receipt)


def _late(c: Company) -> bool:
    times = c.orders[["placed_at", "loaded_at"]].apply(pd.to_datetime, errors="coerce", format="%Y-%m-%d %H:%M:%S")
    late = (times.loaded_at - times.placed_at).dropna()
    return bool((late > timedelta(0)).all() and (late > timedelta(days=7)).any())


NOISE = {
    "Han names": lambda c: c.accounts.last_name.str.contains(HAN).any() and c.members.full_name.str.contains(HAN).any(),
    "Latin names": lambda c: c.accounts.last_name.str.match(r"^[A-Z][a-z]+$").any(),
    "the same person, spelt otherwise": _names_differ,
    "given and family name swapped": _swapped,
    "e-mail in capitals": lambda c: c.accounts.email.str.match(r"^[A-Z0-9._+]+@[A-Z0-9.]+$").any(),
    "e-mail with a sub-address": lambda c: c.accounts.email.str.contains(r"\+", regex=True).any(),
    "e-mail with blanks": lambda c: c.accounts.email.str.startswith(" ").any(),
    "no e-mail": lambda c: c.accounts.email.eq("").any(),
    "phones with +86": lambda c: c.accounts.mobile.str.startswith("+86").any(),
    "phones with 0086": lambda c: c.accounts.mobile.str.startswith("0086").any(),
    "phones with dashes": lambda c: c.accounts.mobile.str.match(r"^\d{3}-\d{4}-\d{4}$").any(),
    "phones of other countries": lambda c: c.accounts.mobile.str.match(r"^\+(44|1|49)").any(),
    "no phone": lambda c: c.accounts.mobile.eq("").any(),
    "no birthday": lambda c: c.accounts.birthday.eq("").any(),
    "dates with slashes": lambda c: c.accounts.birthday.str.match(r"^\d{4}/\d\d/\d\d$").any(),
    "dates with dots": lambda c: c.members.birth.str.match(r"^\d\d\.\d\d\.\d{4}$").any(),
    "several words for a gender": lambda c: {"F", "female", "女", "M", "male", "男", ""} <= set(c.accounts.sex),
    "a phone in two homes' records": _shared_phone,
    "an address of two people": _shared_address,
    "an old and a new address": lambda c: c.users.duplicated("user_id").any(),
    "an account twice in the file": lambda c: c.accounts.duplicated().any(),
    "order lines twice": lambda c: c.orders.duplicated().any() and c.sales.duplicated().any(),
    "test orders": lambda c: c.orders.sku.eq("TEST001").any() and c.orders.customer_no.eq("TEST-01").any(),
    "codes that are no products": lambda c: {"POST", "DISCOUNT", "gift_wrap"} <= set(c.orders.sku),
    "corrections at the till": lambda c: c.sales.article.eq("ADJUST").any(),
    "cancelled orders": _cancelled,
    "returns": _returned,
    "orders of guests": lambda c: c.orders.customer_no.eq("").any(),
    "sales without a card": lambda c: c.sales.member.isna().any(),
    "amounts that nobody can read": lambda c: pd.to_numeric(c.orders.line_total, errors="coerce").isna().any(),
    "dates that nobody can read": lambda c: (~c.orders.placed_at.str.match(r"^20\d\d-(0\d|1[0-2])-")).any(),
    "rows that arrive late": _late,
}


@pytest.mark.parametrize("kind", NOISE)
def test_records_are_as_noisy_as_real_ones(company: Company, kind: str) -> None:
    assert NOISE[kind](company)


def test_member_keys_are_one_persons_own(company: Company) -> None:
    assert company.members.member_key.is_unique
    assert company.members.member_key.str.fullmatch(r"\d{10,12}").all()


def test_the_config_names_files_and_columns_that_exist(company: Company) -> None:
    config = load(company.config)
    assert config.as_of == date(2025, 1, 1)
    assert config.workspace == company.out / "workspace"
    for source in config.sources:
        path = Path(source.uri)
        if path.suffix == ".csv":
            theirs = list(pd.read_csv(path, sep=None, engine="python", nrows=5).columns)
        else:
            theirs = pq.read_schema(path).names
        assert set(source.columns.values()) <= set(theirs)
        assert set(SPECS[source.table].required) <= {*source.columns, *theirs}


def test_paths_stand_in_the_config_as_they_were_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = simulate(Path("data/it's #1"), customers=30, months=5)
    assert [s.uri for s in load(config).sources][1] == "data/it's #1/shop/orders.csv"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"customers": 0}, "customers: 0; expected a whole number from 1"),
        ({"months": 2}, "months: 2; expected"),
        ({"seed": -1}, "seed: -1; expected"),
        ({"chunk": 0}, "chunk: 0; expected"),
    ],
)
def test_numbers_out_of_range_are_refused(tmp_path: Path, wrong: dict[str, int], says: str) -> None:
    with pytest.raises(InputError, match=says):
        simulate(tmp_path, **wrong)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(InputError, match=r"taken: cannot be written .* expected a folder"):
        simulate(tmp_path / "taken", customers=10, months=5)


def test_one_customer_and_a_start_in_the_middle_of_a_month_work(tmp_path: Path) -> None:
    config = simulate(tmp_path, customers=1, months=7, start=date(2022, 6, 15), seed=3)
    assert load(config).as_of == date(2023, 1, 15)
