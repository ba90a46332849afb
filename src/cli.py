"""The command ``custid``: commands only, no logic. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .errors import ConfigError, CustidError, masked

if TYPE_CHECKING:
    from collections.abc import Callable

    from .config import Config
    from .pipeline import Outcome

app = typer.Typer(
    name="custid",
    help="Finds the customers who matter: what they are worth, whether they are leaving, why, and what to do about it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ConfigPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="The config file (YAML).", show_default=False)]
AsOf = Annotated[str | None, typer.Option("--as-of", metavar="DATE", help="The wall of the run; overrides the config.")]
Folder = Annotated[Path | None, typer.Option("--workspace", metavar="DIR", help="The folder of the run.")]
Sets = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a setting, such as tuning.trials=5 or sources.shop.uri=PATH."
    ),
]


def _version(wanted: bool) -> None:
    if wanted:
        from . import __version__

        typer.echo(f"custid {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show a stack trace when something goes wrong; may stand anywhere.")
    ] = False,
) -> None:
    """Options of custid itself; main() looks for --debug, wherever it stands."""
    del version, debug


def _config(path: Path, as_of: str | None, workspace: Path | None, sets: list[str] | None) -> Config:
    from .config import load

    named = [f"{key}={value}" for key, value in (("as_of", as_of), ("workspace", workspace)) if value is not None]
    return load(path, [*(sets or []), *named])


def _run(config: Config, until: str, train: bool = True) -> Outcome:
    from . import console
    from .pipeline import run

    outcome = run(config, until, train=train, show=console.progress)
    release = f", release {outcome.release}" if outcome.release else ""
    if outcome.ran:
        console.say(f"Made: {', '.join(outcome.ran)} (as of {outcome.as_of}{release}).")
    else:
        console.say(f"Nothing to do: everything is up to date (as of {outcome.as_of}{release}).")
    return outcome


def _simulate(out: Path, customers: int, seed: int) -> None:
    from . import console
    from .ingest.simulate import simulate as write

    with console.progress("simulate") as note:
        write(out, customers=customers, seed=seed, progress=lambda done, all_: note(f"{done:,} of {all_:,} customers"))


def _judged(config: Config, _: str) -> None:
    """How sure the models are: each task's headline beside the best baseline's."""
    from . import console
    from .training.task import headlines
    from .workspace import Workspace, read_json

    rows = headlines(read_json(Workspace(config.workspace).metrics, {}))
    if rows:
        console.show("On the last labelled snapshot", ["task", "metric", "model", "best baseline", "its name"], rows)


def _again(path: Path, as_of: str | None, workspace: Path | None, sets: list[str] | None) -> str:
    """The options that name this run again, as a person would type them."""
    import shlex

    options = [f"--as-of {as_of}"] if as_of else []
    options += [f"--workspace {shlex.quote(str(workspace))}"] if workspace else []
    options += [f"--set {shlex.quote(pair)}" for pair in sets or []]
    return " ".join([shlex.quote(str(path)), *options])


def _closing(config: Config, again: str) -> None:
    """Where to look."""
    from . import console
    from .registry import tracking_uri
    from .workspace import Workspace

    workspace = Workspace(config.workspace)
    _judged(config, again)
    store = tracking_uri(config, workspace)
    local = f"{_command('mlflow')} ui --backend-store-uri sqlite:///{workspace.mlflow_db}"
    console.say(f"Report:  {workspace.report}")
    console.say(f"Scores:  {workspace.scores}")
    console.say(f"MLflow:  {local if store == workspace.tracking_uri else masked(store)}")
    console.say(f"Serve:   {_command('custid')} serve {again}")


def _command(name: str) -> str:
    """A command as it can be typed here: by its path where the environment is not activated."""
    import shutil

    return name if shutil.which(name) else os.path.relpath(Path(sys.executable).parent / name)


def _rows(config: Config, _: str) -> None:
    """How many rows of each source were accepted, quarantined, or lie beyond the wall."""
    from . import console
    from .workspace import Workspace, read_json

    quality = read_json(Workspace(config.workspace).quality)
    rows = [
        [name, s["table"], s["rows"], s["accepted"], s["quarantined"], s["later"]]
        for name, s in quality["sources"].items()
    ]
    console.show("Rows", ["source", "table", "rows", "accepted", "quarantined", "not before as_of"], rows)


def _stage(name: str, until: str, about: str, *, train: bool, closing: Callable[[Config, str], None]) -> None:
    """Add a command that runs the stages up to ``until``."""

    def command(config: ConfigPath, as_of: AsOf = None, workspace: Folder = None, sets: Sets = None) -> None:
        settings = _config(config, as_of, workspace, sets)
        _run(settings, until, train=train)
        closing(settings, _again(config, as_of, workspace, sets))

    app.command(name, help=about)(command)


def _nothing(_config: Config, _: str) -> None:
    """A stage that has said all it has to say."""


_stage(
    "run",
    "report",
    "Do the whole job: tables in; features, models, scores, profiles and a report out.",
    train=True,
    closing=_closing,
)
_stage("ingest", "ingest", "Read the sources; accept, flag or quarantine each row.", train=False, closing=_rows)
_stage(
    "resolve", "resolve", "Make one customer of the records that name the same person.", train=False, closing=_nothing
)
_stage("features", "features", "Compute every customer's features as of the day.", train=False, closing=_nothing)
_stage(
    "train",
    "train",
    "Tune, fit, judge and register a model for each task; make a release.",
    train=True,
    closing=_judged,
)
_stage("score", "score", "Score every customer with the champion; never trains.", train=False, closing=_nothing)
_stage(
    "profile",
    "profile",
    "Give every customer a tier, a lifecycle stage, reasons and a next action; never trains.",
    train=False,
    closing=_nothing,
)
_stage("report", "report", "Write the report page; never trains.", train=False, closing=_closing)


@app.command()
def backtest(config: ConfigPath, as_of: AsOf = None, workspace: Folder = None, sets: Sets = None) -> None:
    """Learn the models as they would have been on earlier days, and judge each by what came after it."""
    from . import console
    from .backtest.stage import backtest as look_back
    from .backtest.verdict import summary
    from .pipeline import run
    from .workspace import Workspace

    settings = _config(config, as_of, workspace, sets)
    place = Workspace(settings.workspace)
    day = run(settings, "resolve", train=False, show=console.progress).as_of
    with console.progress("backtest") as note:
        done = look_back(settings, place, day, note)
    columns = ["task", "metric", "model", "baseline", "difference, 95 %"]
    console.show(f"Over {len(done.result['origins'])} origins, beside the best baseline", columns, summary(done.result))
    if not done.made:
        console.say(f"Nothing to do: the backtest is up to date (as of {day}).")
    console.say(f"Page:    {place.backtest_page}")


@app.command()
def demo(
    workspace: Annotated[Path, typer.Option("--workspace", metavar="DIR", help="Where the demo lies.")] = Path(
        "data/demo"
    ),
    customers: Annotated[int, typer.Option(min=300, help="How many customers to simulate.")] = 2000,
    seed: Annotated[int, typer.Option(help="The seed of the simulation.")] = 7,
    sets: Sets = None,
) -> None:
    """Simulate customers over several channels and do the whole job on them."""
    from .workspace import read_json, write_json

    settings_file = workspace / "custid.yaml"
    made = workspace / "simulated.json"
    wanted = {"customers": customers, "seed": seed}
    if read_json(made) != wanted or not settings_file.exists():
        _simulate(workspace, customers, seed)
        write_json(made, wanted)
    settings = _config(settings_file, None, None, sets)
    _run(settings, "report")
    _closing(settings, _again(settings_file, None, None, sets))


@app.command()
def simulate(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write to.", show_default=False)],
    customers: Annotated[int, typer.Option(min=1, help="How many customers.")] = 2000,
    seed: Annotated[int, typer.Option(help="The seed of everything that is drawn.")] = 7,
) -> None:
    """Write the records of customers whose truth is known: several channels, noise as in real records."""
    from . import console

    _simulate(out, customers, seed)
    console.say(f"Simulated {customers:,} customers in {out}; try: custid run {out / 'custid.yaml'}")


@app.command()
def init(
    table: Annotated[
        str, typer.Argument(metavar="TABLE", help="A file or database address to look at.", show_default=False)
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to write; the screen by default.")
    ] = None,
) -> None:
    """Look at a table, guess its columns, and write a commented config."""
    from . import console
    from .ingest.guess import guess
    from .workspace import write_text

    if out is not None and out.exists():
        raise ConfigError(f"{out}: exists already; name another file with --out.")
    text = guess(table)
    if out is None:
        typer.echo(text, nl=False)
        return
    write_text(out, text)
    console.say(f"Wrote {out}; look it over, then: custid run {out}")


@app.command()
def models(config: ConfigPath, as_of: AsOf = None, workspace: Folder = None, sets: Sets = None) -> None:
    """Show releases, model versions and searches side by side."""
    from . import console
    from .registry import Registry
    from .workspace import Workspace

    settings = _config(config, as_of, workspace, sets)
    for table in Registry(settings, Workspace(settings.workspace)).overview():
        console.show(table.title, table.columns, table.rows)


@app.command()
def serve(
    config: ConfigPath,
    as_of: AsOf = None,
    workspace: Folder = None,
    sets: Sets = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="The port to listen on.")] = None,
) -> None:
    """Serve the champion: scores, reasons and profiles over HTTP."""
    from .serving.run import serve as start
    from .workspace import Workspace

    settings = _config(config, as_of, workspace, sets)
    start(settings, Workspace(settings.workspace), host=host, port=port)


@app.command()
def package(
    config: ConfigPath,
    as_of: AsOf = None,
    workspace: Folder = None,
    sets: Sets = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the bento to this archive, too.")
    ] = None,
) -> None:
    """Build a bento of the champion that serves in a fresh environment without a tracking server."""
    from . import console
    from .serving.package import package as build
    from .workspace import Workspace

    settings = _config(config, as_of, workspace, sets)
    with console.progress("package") as note:
        tag = build(settings, Workspace(settings.workspace), out, note)
    console.say(f"Built {tag}; serve it with: bentoml serve {tag}")


def main() -> None:
    """Run the command line; mistakes end in a sentence and exit code 2, our own faults in 1."""
    words = sys.argv[1:]
    debug = "--debug" in words
    try:
        app([word for word in words if word != "--debug"])
    except Exception as error:
        if debug:
            raise
        from .console import complain

        if isinstance(error, CustidError):
            complain(str(error))
            sys.exit(error.exit_code)
        complain(f"custid failed ({type(error).__name__}: {error}). Run the command again with --debug to see where.")
        sys.exit(1)
