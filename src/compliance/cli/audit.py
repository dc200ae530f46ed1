"""`compliance audit`, `compliance profile new`, `compliance sample`."""

from __future__ import annotations

import json
import random
import re
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compliance.cli.options import law_options, read_day
from compliance.cli.progress import Bar
from compliance.errors import UsageError, listed

if TYPE_CHECKING:
    from compliance.archive.inventory import Inventory
    from compliance.audit.run import Audit, Order
    from compliance.audit.waivers import Waiver

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def profile() -> None:
    """An organisation's profile."""


@profile.command("new", short_help="Draft a profile from the institutions in an INVENTORY.")
@click.argument("inventory", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--name", default="our organisation", help="the organisation")
def profile_new(inventory: Path, name: str) -> int:
    """Draft a profile from the institutions' spellings found in INVENTORY."""
    from compliance.archive.inventory import open_inventory
    from compliance.audit.draft import draft

    open_inventory(inventory)
    click.echo(draft(inventory, name), nl=False)
    return 0


@click.command(short_help="Judge every study of an inventory and write the report.")
@click.argument("source")
@click.option("--profile", "profile_file", required=True, type=_FILE, help="profile.yaml")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="folder for the report"
)
@click.option("--as-of", help="the day of the question (default: today)")
@click.option(
    "--deleted", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="CSV log of past deletions"
)
@click.option("--waivers", "waiver_file", type=_FILE, help="waivers.yaml")
@click.option("--baseline", type=_FILE, help="findings.jsonl of an earlier run: only new findings are told")
@click.option(
    "--fail-on", type=click.Choice(["error", "warning", "never"]), default="error", show_default=True,
    help="exit code 1 from findings of this level on",
)  # fmt: skip
@click.option(
    "--min-determined", type=click.FloatRange(0, 100), help="percent of studies that must be judged, else exit code 1"
)
@click.option("--privileged", is_flag=True, help="show the matters of holds")
@click.option(
    "--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True, help="what evaluates"
)
@click.option(
    "--spark-conf", multiple=True, metavar="KEY=VALUE", help="setting of Spark, such as spark.master=yarn; repeatable"
)
@click.option("--work", help="folder or address that driver and executors see (default: in the output folder)")
@click.option(
    "--database",
    metavar="URL",
    help="a service's store: its holds and waivers count too, and the audit is registered there",
)
@click.option("--quiet", is_flag=True, help="no progress")
@law_options
def audit(source: str, profile_file: Path, output: Path, **options: Any) -> int:
    """Judge every study of an inventory (or of a folder, which is scanned first) and write the report.

    With --engine spark, SOURCE may be any address that Spark reads, such as hdfs:// or s3a://.
    """
    with ExitStack() as open_:
        options["bar"] = Bar("audit", options["quiet"])
        inventory, engine = _engine(source, output, options, open_)
        order, waivers_digest = _order(inventory, profile_file, output, options)
        result = engine(order)
        options["bar"].end()
        result = _write(result, order, output, waivers_digest, options)
        if options["database"]:
            from compliance.service.register import add

            click.echo(f"registered as {add(options['store'], output)}", err=True)
            options["store"].close()
        if order.work:
            shutil.rmtree(order.work, ignore_errors=True)
    return _outcome(result, output, options)


def _engine(
    source: str, output: Path, options: dict[str, Any], open_: ExitStack
) -> tuple[Inventory, Callable[[Order], Audit]]:
    """Return the inventory and what evaluates it."""
    from compliance.archive.inventory import open_inventory
    from compliance.audit.run import run

    place = Path(source)
    if "://" not in source and not place.exists():
        raise UsageError(f"{source} does not exist")
    if options["engine"] == "local":
        if "://" in source or options["spark_conf"] or options["work"]:
            raise UsageError("addresses, --spark-conf and --work are for --engine spark")
        output.mkdir(parents=True, exist_ok=True)
        return open_inventory(_scanned(place, output, options["quiet"]) if place.is_dir() else place), run
    from compliance.audit.session import session
    from compliance.audit.spark import SparkEngine, address

    settings = dict(_setting(text) for text in options["spark_conf"])
    spark = open_.enter_context(session(settings, options["quiet"]))
    if place.is_dir():
        output.mkdir(parents=True, exist_ok=True)
        source = str(_scanned(place, output, options["quiet"]))
    engine = SparkEngine(spark, address(source), address(options["work"] or str(output / ".parts")))
    open_.callback(engine.clear)
    return engine.inventory, engine.run


def _setting(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or not key.startswith("spark."):
        raise UsageError(f"{text!r} is no setting of Spark. Allowed: KEY=VALUE such as spark.master=yarn")
    return key, value


def _order(inventory: Inventory, profile_file: Path, output: Path, options: dict[str, Any]) -> tuple[Order, str]:
    import hashlib

    from compliance.audit.draft import NOBODY
    from compliance.audit.profile import load_profile
    from compliance.audit.run import Order
    from compliance.audit.waivers import read_baseline, read_waivers
    from compliance.law.knowledge import load

    chosen = load_profile(profile_file, load(options["laws"]))
    if unsigned := [site.id for site in chosen.sites if site.decided_by in ("", NOBODY)]:
        click.echo(
            f"Nobody has signed for the keepers of {listed(unsigned)}: see decided_by in {profile_file}", err=True
        )
    more: tuple[Waiver, ...] = ()
    if options["database"]:
        from compliance.service import register
        from compliance.service.store import Store

        options["store"] = Store(options["database"]).open()
        chosen, more = register.joined(chosen, options["store"]), register.waivers(options["store"])
    output.mkdir(parents=True, exist_ok=True)
    waiver_file, baseline = options["waiver_file"], options["baseline"]
    digest = f"sha256:{hashlib.sha256(waiver_file.read_bytes()).hexdigest()}" if waiver_file else ""
    return Order(
        inventory, chosen, read_day(options["as_of"]), (*(read_waivers(waiver_file) if waiver_file else ()), *more),
        read_baseline(baseline) if baseline else frozenset(), options["deleted"], options["bar"], output / ".parts",
    ), digest  # fmt: skip


def _scanned(folder: Path, output: Path, quiet: bool) -> Path:
    import os

    from compliance.archive.scanning import scan_folder
    from compliance.cli.scan import make_keys, now

    target = output / "inventory.parquet"
    bar = Bar("scan", quiet)
    scan_folder(folder, target, make_keys(None, False, None), now(), os.cpu_count() or 1, bar)
    bar.end()
    return target


def _write(result: Audit, order: Order, output: Path, waivers_digest: str, options: dict[str, Any]) -> Audit:
    from dataclasses import replace

    import compliance
    from compliance.audit.explained import explain
    from compliance.audit.results import FindingFile
    from compliance.report import files, html

    about = html.About(
        re.sub(r"://[^@\s]*@", "://...@", " ".join(["compliance", *sys.argv[1:]])),
        options["privileged"],
        waivers_digest,
        compliance.__version__,
    )
    shown = html.to_explain(result.findings)
    texts = explain(result, order, shown.keys())
    explanations = {name: texts[study] for study, names in shown.items() if study in texts for name in names}
    for kind in ("decisions", "findings"):
        (result.decisions.parent / f"{kind}.parquet").replace(output / f"{kind}.parquet")
    result = replace(result, findings=FindingFile(output / "findings.parquet"), decisions=output / "decisions.parquet")
    files.write_findings(result.findings, output)
    files.write_text(output / "summary.json", json.dumps(files.summary(result, order), indent=1, sort_keys=True) + "\n")
    files.write_text(output / "report.html", html.render(result, order, about, explanations))
    return result


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _outcome(result: Audit, output: Path, options: dict[str, Any]) -> int:
    from collections import Counter

    from compliance.audit.findings import LEVELS

    open_ = Counter[str]()
    for code, waived, many in result.findings.counts():
        open_[LEVELS[code]] += 0 if waived else many
    for row in result.tally.dispositions.rows():
        click.echo(f"{row['studies']:>12,} {row['key']}", err=True)
    click.echo(
        f"{_many(open_['error'], 'error')}, {_many(open_['warning'], 'warning')}; {result.tally.determined:.1f} % could be judged",
        err=True,
    )
    click.echo(f"report: {output / 'report.html'}", err=True)
    fails = {"error": open_["error"], "warning": open_["error"] + open_["warning"], "never": 0}[options["fail_on"]]
    least = options["min_determined"]
    return 1 if fails or (least is not None and result.tally.determined < least) else 0


@click.command(short_help="Draw findings of a REPORT to do again by hand.")
@click.argument("report", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--n", default=25, show_default=True, help="how many findings")
@click.option("--seed", default=1, show_default=True, help="the same seed draws the same findings again")
def sample(report: Path, n: int, seed: int) -> int:
    """Draw findings of a REPORT folder as a work sheet: each can be done again by hand, from facts to date."""
    path = report / "findings.jsonl"
    if not path.is_file():
        raise UsageError(f"{path} does not exist: run `compliance audit` first")
    findings = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    if not findings:
        click.echo(f"{path} holds no findings", err=True)
    chosen = random.Random(seed).sample(findings, min(n, len(findings)))
    for number, one in enumerate(sorted(chosen, key=lambda f: (f["code"], f["study"])), 1):
        click.echo(f"{number}. {one['code']} ({one['level']}) {one['study'] or one['norm']}")
        click.echo(
            f"   site {one['site'] or '-'}, record {one['record'] or '-'}; norm {one['norm'] or '-'} {one['citation']}"
        )
        click.echo(f"   said: {one['message']}")
        click.echo("   facts seen: ____________  last day by hand: ____________  agrees: [ ]\n")
    return 0
