"""`compliance scan FOLDER -o inventory.parquet`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compliance.cli.progress import Bar
from compliance.errors import UsageError

if TYPE_CHECKING:
    from compliance.archive.keys import Keys


def key_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options on patient keys."""
    for option in (
        click.option(
            "--key-file",
            type=click.Path(path_type=Path, dir_okay=False),
            help="file with the secret of the patient keys (made on first use)",
        ),
        click.option("--plain-keys", is_flag=True, help="keep patient ids as they are instead of hashing them"),
        click.option(
            "--patients",
            type=click.Path(path_type=Path, dir_okay=False, exists=True),
            help="CSV of merged ids: issuer, id, into_issuer, into_id",
        ),
    ):
        command = option(command)
    return command


def output_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add -o for an inventory, whose name ends in .parquet."""
    kind = click.Path(path_type=Path, dir_okay=False)
    return click.option(
        "-o", "--output", required=True, type=kind, callback=_inventory, help="the inventory to write: NAME.parquet"
    )(command)


def _inventory(ctx: click.Context, option: click.Parameter, path: Path) -> Path:
    if path.suffix != ".parquet":
        raise UsageError(f"{path}: the inventory's name must end in .parquet")
    return path


def make_keys(key_file: Path | None, plain_keys: bool, patients: Path | None) -> Keys:
    """Return the maker of patient keys."""
    from compliance.archive.keys import Keys, read_merged, read_secret

    return Keys(None if plain_keys else read_secret(key_file), read_merged(patients) if patients else {})


def now() -> str:
    """Return the time of a scan: `SOURCE_DATE_EPOCH` where set, for reproducible files."""
    from datetime import UTC, datetime

    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(fixed), UTC) if fixed else datetime.now(UTC)
    return moment.isoformat(timespec="seconds")


@click.command(short_help="Make an inventory of a folder of DICOM files.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@output_option
@click.option("--workers", type=click.IntRange(1, 256), help="processes (default: one a core)")
@click.option("--quiet", is_flag=True, help="no progress")
@key_options
def scan(
    folder: Path,
    output: Path,
    workers: int | None,
    quiet: bool,
    key_file: Path | None,
    plain_keys: bool,
    patients: Path | None,
) -> int:
    """Read the headers of all DICOM files below FOLDER into an inventory; damaged files are listed, never fatal."""
    from compliance.archive.scanning import scan_folder

    bar = Bar("scan", quiet)
    try:
        found = scan_folder(
            folder, output, make_keys(key_file, plain_keys, patients), now(), workers or os.cpu_count() or 1, bar
        )
    except KeyboardInterrupt:
        bar.end()
        click.echo("stopped; the same command goes on where it was", err=True)
        return 2
    bar.end()
    total = sum(found.outcomes.values())
    counts = " + ".join(f"{found.outcomes[word]:,} {word}" for word in ("read", "damaged", "not DICOM", "duplicate"))
    click.echo(f"{total:,} files found = {counts}; {found.opened:,} opened now", err=True)
    for reason, number in found.reasons.most_common(12):
        click.echo(f"  {number:,} {reason}", err=True)
    if found.changes:
        changes = ", ".join(f"{number:,} {word}" for word, number in sorted(found.changes.items()))
        click.echo(f"  since the last scan: {changes}", err=True)
    click.echo(f"{found.studies:,} studies -> {output} ({found.digest[:19]})", err=True)
    return 0
