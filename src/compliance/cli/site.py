"""`compliance site`: the knowledge base as a folder of pages."""

from __future__ import annotations

from pathlib import Path

import click

from compliance.cli.options import law_options, read_day


@click.command(short_help="Write the law on file as pages into FOLDER.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--as-of", help="the day of the pages (default: today)")
@click.option(
    "--api",
    default="",
    metavar="URL",
    help="a service that the calculator may ask; it must stand under the same host as the pages",
)
@law_options
def site(folder: Path, as_of: str | None, api: str, laws: Path | None) -> int:
    """Write the law on file as pages into FOLDER: maps, places, norms, comparison, calculator, search.

    The links are relative: the folder can be put on any web server, or opened as it lies.
    """
    from compliance.errors import UsageError
    from compliance.law.knowledge import load
    from compliance.law.sources import shipped
    from compliance.service.pages import Pages
    from compliance.service.web.site import write_site
    from compliance.service.web.words import link

    if api and not link(api):
        raise UsageError(f"--api {api!r} is no address. Allowed: http://host or https://host")
    pages = Pages(load(laws), read_day(as_of), laws or shipped(), api=api.rstrip("/"))
    number = write_site(folder, pages)
    click.echo(f"{number} files in {folder}; begin with {folder / 'index.html'}", err=True)
    return 0
