"""Settings: typed, frozen objects without behaviour. Each key says in its docstring what it is."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
    model_validator,
)

from ..asof import parse_day, parse_duration, parse_span
from ..errors import ConfigError, nearest
from ..tables import SPECS, Kind

Span = Annotated[timedelta, BeforeValidator(parse_span), PlainSerializer(lambda s: f"{s.days}d")]
Duration = Annotated[
    timedelta, BeforeValidator(parse_duration), PlainSerializer(lambda s: f"{int(s.total_seconds())}s")
]
Day = Annotated[date, BeforeValidator(parse_day)]
Share = Annotated[float, Field(gt=0, lt=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class Settings(BaseModel):
    """What all groups of settings share: they are frozen, and unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class SourceSettings(Settings):
    """A table of the user's, and how its columns map onto a canonical one."""

    name: Name
    """What the source is called in every output."""
    table: Literal["customers", "transactions", "events", "feedback", "campaigns", "subscriptions", "observations"]
    """The canonical table that it fills."""
    uri: str
    """A file (CSV, Parquet, Excel, SQLite, DuckDB) or a `postgresql://` address."""
    columns: dict[str, str] = {}
    """Canonical column: their column. Not needed for columns that already bear the canonical name."""
    query: str | None = None
    """For databases: the table or the SELECT to read."""
    sheet: str | None = None
    """For Excel: the sheet; the first one by default, `*` for all of them one after the other."""
    delimiter: str | None = None
    """For CSV: the column separator; found out by default."""
    encoding: str | None = None
    """For CSV: the encoding; found out by default."""
    date_format: str | list[str] | None = None
    """How times are written, as in `%d/%m/%Y %H:%M`; found out by default. Several are tried in order."""
    decimal: Literal[".", ","] = "."
    """The decimal mark of numbers in text."""
    timezone: str = "UTC"
    """The zone of times that name none; they are kept in UTC."""
    amounts: Literal["given", "counted"] = "given"
    """For transactions: `counted` where a table has no money; each row then counts 1, or its quantity."""
    values: dict[str, dict[str, bool]] = {}
    """For canonical columns of yes and no (`label`, `treated`, `responded`): what each of their values means, as in
    `{treated: {Womens E-Mail: yes, No E-Mail: no}}`. A value that is not listed counts as unknown."""
    ignore: tuple[str, ...] = ()
    """Columns that are not read: what came after the moment of the row, such as a second outcome."""

    @field_validator("columns")
    @classmethod
    def _no_blank(cls, value: dict[str, str]) -> dict[str, str]:
        if any(not theirs for theirs in value.values()):
            raise ValueError("expected a column name for each canonical column")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        from zoneinfo import ZoneInfo

        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("expected a time zone such as UTC or Europe/London") from None
        return value

    @model_validator(mode="after")
    def _known_columns(self) -> SourceSettings:
        spec = SPECS[self.table]
        known = [c.name for c in spec.columns]
        if spec.name == "transactions":
            known.append("customer_id")
        if not spec.open_ended:
            for name in self.columns:
                if name not in known:
                    raise ValueError(
                        f"columns: {name!r} is no column of the table {self.table}; expected one of "
                        f"{', '.join(known)}.{nearest(name, known)}"
                    )
        return self

    @model_validator(mode="after")
    def _flags_only(self) -> SourceSettings:
        flags = [c.name for c in SPECS[self.table].columns if c.kind is Kind.FLAG]
        for name in self.values:
            if name not in flags:
                raise ValueError(
                    f"values: {name!r} is no column of yes and no of the table {self.table}; expected "
                    f"{' or '.join(flags) or 'none'}.{nearest(name, flags)}"
                )
        return self


class QualitySettings(Settings):
    """What is refused, what is only flagged, and what is removed after all."""

    max_refused: Annotated[float, Field(ge=0, le=1)] = 0.5
    """The largest share of a source's rows that may be quarantined before the run stops."""
    drop: tuple[Literal["duplicates", "cancellations", "non_products"], ...] = ()
    """Flagged rows that features, labels and models leave out. `cancellations` also leaves out what they cancel."""
    cancellation_prefix: str = "C"
    """An order id that starts with this cancels an earlier order."""
    non_product_codes: str = r"^(POST(AGE)?|DOT|M|B|D|S|C2|PADS|CRUK|BANK CHARGES|AMAZONFEE|ADJUST.?|SHIPPING|TEST.*)$"
    """A regular expression for product codes that are no products, whatever their case."""


class CurrencySettings(Settings):
    """One currency per run, or a rate for each."""

    code: str | None = None
    """The currency of the outputs; the data's own where all rows share one."""
    rates: dict[str, Annotated[float, Field(gt=0)]] = {}
    """Other currencies: what one unit is worth in `code`."""


class IdentitySettings(Settings):
    """Which exact keys make records of different sources one customer."""

    keys: tuple[Literal["email", "phone", "national_id"], ...] = ("national_id", "email", "phone")
    """Columns of the table customers that, equal after standardising, name the same person."""
    max_group: Annotated[int, Field(ge=2)] = 20
    """A key value shared by more records than this is a switchboard or a placeholder and links nobody."""
    region: Annotated[str, Field(pattern="^[A-Z]{2}$")] = "CN"
    """The country of telephone numbers without a country code."""


class FeatureSettings(Settings):
    """How the features are made."""

    keep: bool = False
    """Whether what they were made of is kept, so that a later `as_of` takes but its new rows (on DuckDB)."""


class HighValueSettings(Settings):
    """The task high_value: will they be in the top share of spend next?"""

    share: Share = 0.10
    """The top share of customers by net spend in the horizon."""


class ClvSettings(Settings):
    """The task clv: how much will they spend in the horizon?"""

    coverage: Share = 0.80
    """How often the interval of the expected value is to hold the truth."""


class ChurnSettings(Settings):
    """The task churn: have they gone, and whom does it pay to contact?"""

    form: Literal["silent", "contractual", "labelled"] | None = None
    """What leaving is: no purchase (`silent`, from transactions), the end of the last subscription (`contractual`), or
    a given label (`labelled`, from observations). The first of these that the sources allow by default."""
    value: Annotated[float, Field(gt=0)] = 200.0
    """For the profit view: what a customer who stays is worth."""
    offer_cost: Annotated[float, Field(ge=0)] = 10.0
    """For the profit view: what the offer costs, for each customer who takes it."""
    contact_cost: Annotated[float, Field(ge=0)] = 1.0
    """For the profit view: what it costs to contact a customer."""
    accept_alpha: Annotated[float, Field(gt=0)] = 6.0
    """For the profit view: how many of the leavers an offer keeps is uncertain, Beta(`accept_alpha`, `accept_beta`)."""
    accept_beta: Annotated[float, Field(gt=0)] = 14.0
    """The second parameter of that distribution; with the defaults, 30 % are kept on average."""

    @model_validator(mode="after")
    def _pays(self) -> ChurnSettings:
        if self.offer_cost >= self.value:
            raise ValueError(f"offer_cost: {self.offer_cost:g}; expected less than value, {self.value:g}")
        return self


class UpliftSettings(Settings):
    """The task uplift: whom does contact change?"""

    outcome: Literal["responded", "revenue"] | None = None
    """Which outcome of `campaigns` counts: an answer, or money. By default the first of the two that the table has."""
    window: Span = timedelta(days=30)
    """How long after a contact what came of it is settled; later contacts are not learnt from yet."""


class SegmentSettings(Settings):
    """The task segments: who is alike?"""

    least: Annotated[int, Field(ge=2)] = 3
    """The smallest number of segments that is tried."""
    most: Annotated[int, Field(ge=2)] = 9
    """The largest number of segments that is tried."""
    resamples: Annotated[int, Field(ge=2)] = 10
    """How many resamples measure the stability of each number."""

    @model_validator(mode="after")
    def _ordered(self) -> SegmentSettings:
        if self.most < self.least:
            raise ValueError(f"most: expected at least {self.least}, the value of least")
        return self


class TrainingSettings(Settings):
    """Snapshots and how the models are judged."""

    snapshots: Annotated[int, Field(ge=1)] = 12
    """The most labelled snapshots that are used, the held-out one among them."""
    stride: Span = timedelta(days=30)
    """The distance between snapshots."""
    min_history: Span = timedelta(days=60)
    """The least history before a snapshot."""
    min_customers: Annotated[int, Field(ge=20)] = 100
    """The fewest buyers before `as_of` to learn from."""
    resamples: Annotated[int, Field(ge=20)] = 200
    """Bootstrap resamples behind each interval."""


class IntentSettings(Settings):
    """The task intent: will they buy within days?"""

    horizon: Span = timedelta(days=7)
    """How far it looks ahead. Of the newest labelled days the last one lies this far before `as_of`."""
    snapshots: Annotated[int, Field(ge=1)] = 12
    """The most labelled snapshots that are used, the held-out one among them."""
    stride: Span | None = None
    """The distance between snapshots; by default the whole weeks that hold the horizon."""
    trials: Annotated[int, Field(ge=1)] = 12
    """The most trials of its search, where `tuning.trials` is not less."""


class TuningSettings(Settings):
    """The search over models and their parameters."""

    trials: Annotated[int, Field(ge=1)] = 25
    """Trials per task. The number decides, so that the same data give the same models."""
    time_budget: Duration | None = None
    """A safety stop for a whole search, such as `10m`; a search that it ends is not reproducible."""
    storage: str | None = None
    """Where searches are kept: an SQLAlchemy address; SQLite in the workspace by default."""


class BacktestSettings(Settings):
    """What `custid backtest` looks back at."""

    origins: Annotated[int, Field(ge=1)] = 4
    """The most days from which the models look ahead, each as if it were today."""
    stride: Span | None = None
    """The distance between origins; by default they are spread over the history, in steps of `training.stride`."""
    trials: Annotated[int, Field(ge=1)] = 10
    """Trials per task and origin: the search is done anew on each."""


class ExplainSettings(Settings):
    """For whom reasons are made, and how many."""

    customers: Annotated[int, Field(ge=0)] = 2_000
    """How many customers get reasons: those whom somebody will look at first, by expected value and churn."""
    reasons: Annotated[int, Field(ge=1)] = 5
    """Reasons per customer and task; the rest is summed up."""
    background: Annotated[int, Field(ge=10)] = 1_000
    """Customers behind the global importance."""


class TierSettings(Settings):
    """VIP, ordinary, potential or lapsed."""

    vip_share: Share = 0.10
    """VIP: among this top share by expected value, or likely enough to be high-value."""
    vip_probability: Share = 0.5
    """VIP: the chance of being high-value from which a customer is one whatever the expected value."""
    lapsed_churn: Share = 0.85
    """Lapsed: the churn probability from which a customer counts as gone."""
    potential_probability: Share = 0.15
    """Potential: no VIP yet, but with at least this chance of being high-value."""


class LifecycleSettings(Settings):
    """New, active, at risk, dormant or gone."""

    new: Span = timedelta(days=60)
    """New: the first purchase is at most this long ago."""
    at_risk_churn: Share = 0.5
    """At risk: the churn probability from which an active customer is."""
    gone_churn: Share = 0.85
    """Gone: the churn probability from which a customer is."""
    dormant: Span | None = None
    """Dormant: no purchase for at least this long; the horizon by default."""


class ActionRule(Settings):
    """One rule of the next action: all its conditions hold; the first rule that fits decides."""

    action: str
    """What to do, in words."""
    tier: tuple[Literal["vip", "ordinary", "potential", "lapsed"], ...] = ()
    """Tiers that it is for; all by default."""
    lifecycle: tuple[Literal["new", "active", "at risk", "dormant", "gone"], ...] = ()
    """Lifecycle stages that it is for; all by default."""
    segment: tuple[str, ...] = ()
    """Segments (by name) that it is for; all by default."""
    min_expected_value: float | None = None
    """Only from this expected value on."""
    min_p_churn: Share | None = None
    """Only from this churn probability on."""
    min_uplift: float | None = None
    """Only from this uplift on."""
    min_p_intent: Share | None = None
    """Only from this chance of a purchase within days on."""
    min_risk: Share | None = None
    """Only from this risk on: 0.99 is a hundredth of the customers of a normal day."""


DEFAULT_ACTIONS = (
    ActionRule(action="Call in person and win back", tier=("vip",), lifecycle=("at risk", "dormant", "gone")),
    ActionRule(action="Look after: early access, personal service", tier=("vip",)),
    ActionRule(action="Offer the next step: bundle or loyalty programme", tier=("potential",)),
    ActionRule(action="Welcome and show the way to a second purchase", lifecycle=("new",)),
    ActionRule(action="Remind with what they bought before", lifecycle=("at risk",)),
    ActionRule(action="One low-cost win-back message, then rest", tier=("lapsed",)),
    ActionRule(action="Keep in the regular newsletter"),
)


class ServingSettings(Settings):
    """The prediction service."""

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: Annotated[int, Field(ge=1, le=65535)] = 3000
    """The port to listen on."""
    max_rows: Annotated[int, Field(ge=1)] = 10_000
    """The most customers in one request."""
    max_bytes: Annotated[int, Field(ge=1_000)] = 32_000_000
    """The largest body of a request, in bytes."""
    reasons: Annotated[int, Field(ge=1)] = 5
    """Reasons per customer and task in an answer."""


class MlflowSettings(Settings):
    """Where experiments and models are kept."""

    tracking_uri: str | None = None
    """The tracking server; else MLFLOW_TRACKING_URI, else SQLite in the workspace."""
    experiment: str | None = None
    """The experiment; the config's name by default."""


TaskName = Literal["high_value", "clv", "churn", "intent", "segments", "risk", "uplift", "prospects"]
TASKS: tuple[TaskName, ...] = ("high_value", "clv", "churn", "intent", "segments", "risk", "uplift", "prospects")
NEEDS: dict[str, tuple[frozenset[str], ...]] = {
    "churn": (frozenset({"transactions"}), frozenset({"subscriptions"}), frozenset({"observations"})),
    "prospects": (frozenset({"transactions", "customers"}), frozenset({"transactions", "events"})),
    "uplift": (
        frozenset({"transactions", "campaigns"}),
        frozenset({"subscriptions", "campaigns"}),
        frozenset({"observations"}),
    ),
}
"""Tables that a task is learnt from, each set enough by itself; a task that is not listed needs transactions."""
_HISTORY = (frozenset({"transactions"}),)
CHURN_FORMS = {"silent": "transactions", "contractual": "subscriptions", "labelled": "observations"}
"""The table that each form of churn is learnt from, in the order in which one is chosen."""


def _tables(data: dict[str, Any]) -> frozenset[str]:
    """The canonical tables that the sources fill."""
    return frozenset(source.table for source in data.get("sources", ()))


def _answerable(data: dict[str, Any]) -> tuple[TaskName, ...]:
    """The tasks that the sources allow; all of them where nothing to predict from is named yet."""
    tables = _tables(data)
    mapped = {column for s in data.get("sources", ()) if s.table == "observations" for column in s.columns}
    found = [task for task in TASKS if any(need <= tables for need in NEEDS.get(task, _HISTORY))]
    if "observations" in tables and not tables & {"transactions", "subscriptions"}:
        told: dict[str, bool] = {"churn": "label" in mapped, "uplift": "treated" in mapped}
        found = [task for task in found if told.get(task)] or found
    return tuple(found) or tuple(task for task in TASKS if task not in NEEDS or task == "churn")


class Config(Settings):
    """All settings of a run.

    Only ``sources`` has no default, and ``horizon`` is needed from the stage features on.
    """

    name: Name
    """What models and the experiment are called; the file's name by default."""
    workspace: Path
    """The folder of the run, relative to where the command runs; `data/<name>` by default."""
    as_of: Day | None = None
    """The wall of the run: no row at or after this midnight is used. The day after the newest row by default."""
    horizon: Span | None = None
    """How far predictions look ahead, such as `180d`. Needed from the stage `features` on."""
    sources: Annotated[tuple[SourceSettings, ...], Field(min_length=1)]
    """The tables to read."""
    tasks: Annotated[tuple[TaskName, ...], Field(min_length=1, default_factory=_answerable)]
    """What to predict; all that the sources allow by default."""
    quality: QualitySettings = QualitySettings()
    currency: CurrencySettings = CurrencySettings()
    identity: IdentitySettings = IdentitySettings()
    features: FeatureSettings = FeatureSettings()
    high_value: HighValueSettings = HighValueSettings()
    clv: ClvSettings = ClvSettings()
    churn: ChurnSettings = ChurnSettings()
    uplift: UpliftSettings = UpliftSettings()
    intent: IntentSettings = IntentSettings()
    segments: SegmentSettings = SegmentSettings()
    training: TrainingSettings = TrainingSettings()
    tuning: TuningSettings = TuningSettings()
    backtest: BacktestSettings = BacktestSettings()
    explain: ExplainSettings = ExplainSettings()
    tiers: TierSettings = TierSettings()
    lifecycle: LifecycleSettings = LifecycleSettings()
    actions: tuple[ActionRule, ...] = DEFAULT_ACTIONS
    """Rules of the next action; the first that fits decides."""
    serving: ServingSettings = ServingSettings()
    mlflow: MlflowSettings = MlflowSettings()
    seed: Annotated[int, Field(ge=0)] = 7
    """The seed of everything that is drawn."""
    engine: Literal["duckdb", "spark"] = "duckdb"
    """What computes the features."""
    threads: Annotated[int, Field(ge=1)] | None = None
    """Threads to use; all cores by default. The results do not depend on it."""
    memory: Annotated[str, Field(pattern=r"^\d+(\.\d+)?(MB|GB)$")] = "2GB"
    """What DuckDB may hold in memory before it writes to disk."""

    @field_validator("engine")
    @classmethod
    def _keeps(cls, value: str, info: ValidationInfo) -> str:
        if value != "duckdb" and info.data.get("features", FeatureSettings()).keep:
            raise ValueError(f"{value!r} keeps nothing of the features; expected 'duckdb', or features.keep: false")
        return value

    @field_validator("sources")
    @classmethod
    def _distinct(cls, value: tuple[SourceSettings, ...]) -> tuple[SourceSettings, ...]:
        names = [(s.name, s.table) for s in value]
        for name, table in names:
            if names.count((name, table)) > 1:
                raise ValueError(f"two sources are called {name!r} and fill {table}; expected distinct names")
        return value

    @field_validator("tasks")
    @classmethod
    def _possible(cls, value: tuple[TaskName, ...], info: ValidationInfo) -> tuple[TaskName, ...]:
        tables = _tables(info.data)
        for task in value:
            needs = NEEDS.get(task, _HISTORY)
            if tables & set(CHURN_FORMS.values()) and not any(need <= tables for need in needs):
                told = " or ".join(" and ".join(sorted(need)) for need in needs)
                raise ValueError(f"{task} is learnt from {told}, and the sources fill {', '.join(sorted(tables))}")
        return value

    @field_validator("churn")
    @classmethod
    def _there(cls, value: ChurnSettings, info: ValidationInfo) -> ChurnSettings:
        tables = _tables(info.data)
        if value.form is None or not tables:
            return value
        told = f"and the sources fill {', '.join(sorted(tables))}"
        if CHURN_FORMS[value.form] not in tables:
            raise ValueError(f"form {value.form!r} is learnt from {CHURN_FORMS[value.form]}, {told}")
        if value.form == "labelled" and tables & {"transactions", "subscriptions"}:
            raise ValueError(f"form 'labelled' is for observations without a history, {told}")
        return value

    @property
    def churn_form(self) -> str:
        """What leaving is: the setting ``churn.form``, or the first form that the sources allow."""
        tables = {source.table for source in self.sources}
        possible = [form for form, table in CHURN_FORMS.items() if table in tables]
        return self.churn.form or next(iter(possible), "silent")

    def needs_horizon(self) -> timedelta:
        """The horizon, or an error that says that this stage needs one."""
        if self.horizon is None:
            raise ConfigError("horizon: not set; expected how far to look ahead, such as 180d.")
        return self.horizon
