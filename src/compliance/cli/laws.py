"""`compliance laws`: list, show, check, new, coverage, stale, schema."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from compliance.cli.options import law_options, read_day
from compliance.errors import UsageError, guess


@click.group()
def laws() -> None:
    """The law on file: read it, check it, add to it."""


@laws.command("list")
@click.argument("place", required=False)
@law_options
def list_(place: str | None, laws: Path | None) -> int:
    """The statutes on file, of PLACE and the places inside it."""
    from compliance.law.knowledge import load

    base = load(laws)
    codes = _places(base.jurisdictions, place)
    for statute in base.statutes():
        if codes is None or statute.jurisdiction in codes:
            status = Counter(norm.verification.status for norm in statute.norms)
            counts = ", ".join(f"{number} {word}" for word, number in sorted(status.items()))
            click.echo(f"{statute.id:44} {statute.force:9} {statute.citation}  [{counts}]")
    return 0


def _places(places: object, place: str | None) -> set[str] | None:
    from compliance.law.jurisdictions import Jurisdictions

    assert isinstance(places, Jurisdictions)
    if place is None:
        return None
    if place not in places.places:
        raise UsageError(f"no place {place!r} on file.{guess(place, places.places)}")
    return {place, *places.below(place)}


@laws.command(short_help="One statute or norm, in words.")
@click.argument("id")
@law_options
def show(id: str, laws: Path | None) -> int:
    """One statute (US-CA/22-ccr-70751) or norm (...#records), in words."""
    from compliance.law.knowledge import load
    from compliance.law.writing import norm_text, statute_text

    base = load(laws)
    if "#" in id:
        norm = base.index.get(id)
        if norm is None:
            raise UsageError(f"no norm {id!r} on file.{guess(id, base.index)}")
        click.echo(norm_text(norm))
        return 0
    if id not in base.files:
        raise UsageError(f"no statute {id!r} on file.{guess(id, base.files)}")
    click.echo(statute_text(base.statute(id)))
    return 0


@laws.command(short_help="Read strictly, lint, and run every case.")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--as-of", help="the day by which evidence is stale (default: today)")
@click.option("--strict", is_flag=True, help="warnings fail the check too")
def check(path: Path | None, as_of: str | None, strict: bool) -> int:
    """Read strictly, lint, and run every case of PATH: a file, a folder, or the whole base."""
    from compliance.decision.cases import check as run_check

    found = run_check(path, read_day(as_of))
    for problem in found.problems:
        click.echo(str(problem))
    levels = Counter(problem.level for problem in found.problems)
    click.echo(
        f"{found.files} files, {found.norms} norms, {found.cases} cases: {levels['error']} errors, {levels['warning']} warnings",
        err=True,
    )
    return 1 if found.failed or (strict and found.problems) else 0


@laws.command()
@click.argument("place")
@click.argument("citation")
@law_options
def new(place: str, citation: str, laws: Path | None) -> int:
    """Start a law file from a commented template."""
    from compliance.law.knowledge import load
    from compliance.law.sources import shipped
    from compliance.law.template import slug, template

    base = load(laws)
    _places(base.jurisdictions, place)
    path = (laws or shipped()) / place / f"{slug(citation)}.yaml"
    if path.exists():
        raise UsageError(f"{path} exists already")
    path.parent.mkdir(exist_ok=True)
    with path.open("x", encoding="utf-8") as file:
        file.write(template(place, citation, read_day(None)))
    click.echo(f"{path}: fill it in, then run `compliance laws check {path}`")
    return 0


@laws.command(short_help="What was researched, place by facility type.")
@click.argument("place", required=False)
@law_options
def coverage(place: str | None, laws: Path | None) -> int:
    """What was researched, place by facility type: the best seen floor for image, report and record, and all norms."""
    from compliance.law.knowledge import load
    from compliance.law.register import majorities, rows

    base = load(laws)
    _places(base.jurisdictions, place)
    totals: Counter[str] = Counter()
    click.echo(f"{'place':8} {'facility type':34} {'researched':15} {'image':11} {'report':11} {'record':11} norms")
    for row in rows(base, place):
        totals[row.status] += 1
        if row.status != "not researched" or row.norms:
            counts = ", ".join(f"{number} {word}" for word, number in sorted(row.by_verification().items()))
            best = " ".join(f"{row.best(record):11}" for record in ("image", "report", "record"))
            click.echo(f"{row.place:8} {row.facility_type:34} {row.status:15} {best} {counts}")
    chosen = {place, *base.jurisdictions.below(place)} if place else None
    statutes = [one for one in base.statutes() if chosen is None or one.jurisdiction in chosen]
    norms = Counter(norm.verification.status for statute in statutes for norm in statute.norms)
    click.echo("places x types: " + ", ".join(f"{number} {word}" for word, number in sorted(totals.items())), err=True)
    ages = sorted(majorities(base, place).items())
    click.echo("ages of majority: " + ", ".join(f"{number} {word}" for word, number in ages), err=True)
    click.echo("norms in all: " + ", ".join(f"{number} {word}" for word, number in sorted(norms.items())), err=True)
    return 0


@laws.command(short_help="The law of a region as one page of Markdown.")
@click.argument("places", nargs=-1)
@click.option("--title", help="the heading of the page of PLACES")
@click.option(
    "--all", "folder", type=click.Path(path_type=Path, file_okay=False), help="write a page a region into a folder"
)
@law_options
def book(places: tuple[str, ...], title: str | None, folder: Path | None, laws: Path | None) -> int:
    """The law of PLACES and all places inside them as one page of Markdown, or of all regions with --all."""
    from compliance.law.book import book as write
    from compliance.law.book import pages
    from compliance.law.knowledge import load

    if bool(places) == bool(folder):
        raise UsageError("name PLACES for one page, or --all FOLDER for a page a region")
    base, chosen = load(laws), list[str]()
    for place in places:
        _places(base.jurisdictions, place)
        chosen += [place, *base.jurisdictions.below(place)]
    if folder is None:
        click.echo(write(base, chosen, title or f"Retention law for medical images: {', '.join(places)}"), nl=False)
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in pages(base):
        aside = folder / f".{name}"
        aside.write_text(page, encoding="utf-8")
        aside.replace(folder / name)
    return 0


@laws.command()
@click.option("--months", default=18, show_default=True, help="last seen longer ago than this")
@click.option("--as-of", help="the day of the question (default: today)")
@law_options
def stale(months: int, as_of: str | None, laws: Path | None) -> int:
    """Norms whose evidence is old or missing."""
    from compliance.law.knowledge import load
    from compliance.law.register import stale as find

    found = list(find(load(laws), read_day(as_of).toordinal(), months))
    for norm in found:
        click.echo(f"{norm.id:56} {norm.verification.status:10} last seen {norm.verification.on or 'never'}")
    return 1 if found else 0


@laws.command()
@law_options
def schema(laws: Path | None) -> int:
    """Write the JSON Schemas that editors complete from."""
    from compliance.law.knowledge import load
    from compliance.law.schemas import write
    from compliance.law.sources import shipped

    changed = write(laws or shipped(), load(laws).vocabulary)
    click.echo(f"written: {', '.join(changed)}" if changed else "nothing changed", err=True)
    return 0


@laws.command(short_help="What the practical set assumes, and where it decides.")
@law_options
def assumptions(laws: Path | None) -> int:
    """What the practical set assumes, and the places whose floors hang on it."""
    from compliance.law.knowledge import load
    from compliance.law.register import at_stake

    for fact, places in at_stake(load(laws)).items():
        click.echo(f"{fact:28} {len(places):3}  {' '.join(places)}")
    return 0
