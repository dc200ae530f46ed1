"""`compliance serve` (the API and the pages), `compliance keys`, `compliance ledger`: the service from the shell."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compliance.cli.options import assume_option, law_options
from compliance.errors import UsageError

if TYPE_CHECKING:
    from compliance.service.settings import Settings
    from compliance.service.store import Store


def _database_option(command: Any) -> Any:
    help = "postgresql://USER@HOST/NAME or sqlite:///FILE (default: in the user's data folder)"
    return click.option("--database", metavar="URL", help=help)(command)


def _settings(**given: Any) -> Settings:
    from compliance.service.settings import from_environment

    return from_environment(os.environ, **{name: value or None for name, value in given.items()})


def _store(database: str | None, new: bool = False) -> Store:
    """Open the store; a file that is not there is made for the first key alone: an empty ledger holds for sure."""
    from compliance.service.store import Store

    store = Store(_settings(database=database).database_url)
    file = store.engine.url.database if store.engine.dialect.name == "sqlite" else None
    if file and not new and not Path(file).exists():
        raise UsageError(f"no store at {file}: say with --database which is meant")
    return store.open()


@click.command(short_help="Serve the purge-date API and the pages.")
@click.option("--host", help="address to bind to (default: 127.0.0.1, this machine alone)")
@click.option("--port", type=int, help="default: 8000")
@click.option("--profile", type=click.Path(path_type=Path, dir_okay=False), help="the organisation's profile")
@click.option(
    "--inventory", type=click.Path(path_type=Path, dir_okay=False), help="the archive's, for timelines of studies"
)
@click.option(
    "--law-desk", type=click.Path(path_type=Path, file_okay=False),
    help="serve this folder of laws, in a git work tree: administrators commit checked law files from the law desk",
)  # fmt: skip
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="processes")
@_database_option
@assume_option
@law_options
def serve(workers: int, **given: Any) -> int:
    """Serve the purge-date API and the pages; every setting is also an environment variable (docs/api.md)."""
    from compliance.service.running import run

    settings = _settings(**given)
    run(settings, workers, lambda: click.echo(f"http://{settings.host}:{settings.port} (reference: /docs)", err=True))
    return 0


@click.group()
def keys() -> None:
    """Keys for those who call the API."""


@keys.command("new")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help="read, audit, hold, admin; repeatable")
@_database_option
def new(name: str, scopes: tuple[str, ...], database: str | None) -> int:
    """Make a key for NAME and print it, once."""
    from compliance.service.keys import make

    click.echo(make(_store(database, new=True), name, scopes))
    return 0


@keys.command("list")
@_database_option
def list_(database: str | None) -> int:
    """List who has a key."""
    from compliance.service.keys import every

    for one in every(_store(database)):
        click.echo(f"{one.name}\t{' '.join(one.scopes)}\t{'revoked ' + one.revoked[:10] if one.revoked else 'in use'}")
    return 0


@keys.command("revoke", short_help="Revoke the key of NAME.")
@click.argument("name")
@_database_option
def revoke(name: str, database: str | None) -> int:
    """Revoke the key of NAME; running services follow within ten seconds."""
    from compliance.service.keys import revoke

    revoke(_store(database), name)
    return 0


@click.group()
def ledger() -> None:
    """What was done, by whom, when."""


@ledger.command("verify", short_help="Check that nothing was changed behind the ledger's back.")
@click.option("--head", metavar="NUMBER:DIGEST", help="an entry noted earlier, which must still be there")
@_database_option
def verify(head: str | None, database: str | None) -> int:
    """Check that no entry was changed, moved or removed, and that holds, waivers, approvals, sign-offs, keys and webhooks
    are what the entries wrote; prints the head, which is worth noting elsewhere.
    """
    from compliance.service.ledger import check

    noted = _noted(head) if head else None
    with closing(_store(database)) as store:
        number, digest, broken, differing = store.read(lambda session: check(session, noted))
    if broken is not None:
        click.echo(
            f"compliance: entry {broken.number} of the ledger {broken.why}; {number} entries before it hold", err=True
        )
        return 1
    for one in differing:
        click.echo(f"compliance: {one.table} {one.id}: {one.why}", err=True)
    click.echo(f"{number}:{digest}")
    return 1 if differing else 0


def _noted(text: str) -> tuple[int, str]:
    number, sign, digest = text.partition(":")
    if not (sign and number.isascii() and number.isdigit() and len(digest) == 64):
        raise UsageError(f"--head {text!r} is not NUMBER:DIGEST, as `compliance ledger verify` prints it")
    return int(number), digest


@ledger.command("show")
@click.option("--after", type=int, default=0, help="entries after this number")
@_database_option
def show(after: int, database: str | None) -> int:
    """Print the ledger, one JSON object a line."""
    from compliance.service.keys import entries

    for line in entries(_store(database), after):
        click.echo(line)
    return 0
