"""`compliance import TABLE.csv|parquet|SQL-URL --map mapping.yaml -o inventory.parquet`."""

from __future__ import annotations

from pathlib import Path

import click

from compliance.cli.scan import key_options, make_keys, now, output_option


@click.command("import", short_help="Make an inventory of a study list or a database.")
@click.argument("table")
@click.option(
    "--map", "mapping", required=True, type=click.Path(path_type=Path, dir_okay=False, exists=True), help="mapping.yaml"
)
@output_option
@key_options
def import_table(
    table: str, mapping: Path, output: Path, key_file: Path | None, plain_keys: bool, patients: Path | None
) -> int:
    """Make an inventory of a study or series list: a CSV or Parquet file, or a database (sqlite:///file, postgresql://...)."""
    from compliance.archive import tables

    source = tables.read_mapping(mapping)
    rows, studies, digest = tables.import_table(table, source, output, make_keys(key_file, plain_keys, patients), now())
    click.echo(f"{rows:,} rows -> {studies:,} studies -> {output} ({digest[:19]})", err=True)
    return 0
