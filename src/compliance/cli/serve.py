"""`compliance serve`: the API and the pages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from compliance.cli.options import assume_option, law_options


@click.command()
@click.option("--host", help="address to bind to (default: 127.0.0.1, this machine alone)")
@click.option("--port", type=int, help="default: 8000")
@click.option("--database", metavar="URL", help="postgresql://... or sqlite:///FILE (default: in the user's data folder)")
@click.option("--profile", type=click.Path(path_type=Path, dir_okay=False), help="the organisation's profile")
@assume_option
@law_options
def serve(**given: Any) -> int:
    """Serve the purge-date API; every setting is also an environment variable (docs/api.md)."""
    import uvicorn

    from compliance.law.knowledge import load
    from compliance.service.api import create_app
    from compliance.service.settings import from_environment
    from compliance.service.store import Store

    settings = from_environment(os.environ, **{name: value or None for name, value in given.items()})
    app = create_app(settings, load(settings.laws), Store(settings.database_url))
    uvicorn.run(app, host=settings.host, port=settings.port, access_log=False, server_header=False)
    return 0
