"""`compliance bench SOURCE`: how fast your machine reads your archive, and judges it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from compliance.cli.options import law_options, read_day
from compliance.cli.progress import clock
from compliance.errors import UsageError

_COUNT = click.IntRange(min=1)
ENOUGH = 1000  # with fewer, the start of the processes is what was measured


@click.command(short_help="Measure how fast this machine reads headers and judges.")
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--profile",
    "profile_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="profile.yaml (needed for an inventory)",
)
@click.option("--files", type=_COUNT, default=20_000, show_default=True, help="read at most so many files")
@click.option("--studies", type=_COUNT, default=1_000_000, show_default=True, help="judge at most so many studies")
@click.option("--workers", type=click.IntRange(1, 256), help="processes or threads (default: one a core)")
@law_options
def bench(
    source: Path, profile_file: Path | None, files: int, studies: int, workers: int | None, laws: Path | None
) -> int:
    """Measure files a second in a folder of DICOM files, or studies a second in an inventory. Nothing is written.

    What the machine holds in memory is read faster than what lies on the disk: measure a part that was not read lately.
    """
    many = workers or os.cpu_count() or 1
    if source.is_dir():
        _folder(source, files, many)
    else:
        _inventory(source, profile_file, studies, many, laws)
    return 0


def _folder(folder: Path, files: int, workers: int) -> None:
    from compliance.archive.pace import pace

    found = pace(folder, files, workers)
    click.echo(f"walked over  {found.walked:>12,.0f} files/s   ({found.found:,} files)")
    click.echo(f"headers      {found.alone:>12,.0f} files/s   with one process")
    click.echo(f"             {found.pooled:>12,.0f} files/s   with {workers}")
    _forecast("files", found.found, found.pooled)


def _inventory(path: Path, profile_file: Path | None, studies: int, threads: int, laws: Path | None) -> None:
    from compliance.archive.inventory import open_inventory
    from compliance.audit.pace import pace
    from compliance.audit.profile import load_profile
    from compliance.audit.run import Order
    from compliance.law.knowledge import load

    if profile_file is None:
        raise UsageError(f"{path} is an inventory: say with --profile whose law binds it")
    profile = load_profile(profile_file, load(laws))
    found = pace(Order(open_inventory(path), profile, read_day(None), threads=threads), studies)
    click.echo(f"judged       {found.alone:>12,.0f} studies/s   with one thread ({found.studies:,} studies)")
    click.echo(f"             {found.threaded:>12,.0f} studies/s   with {threads}")
    _forecast("studies", found.studies, found.threaded)


def _forecast(what: str, measured: int, pace: float) -> None:
    if measured < ENOUGH:
        click.echo(f"{measured:,} {what} are too few to say what 100 million would take.")
    else:
        click.echo(f"100 million {what} would take {clock(100e6 / pace)}.")
