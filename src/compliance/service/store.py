"""The store: SQLite (WAL) by default, PostgreSQL by URL; every write is one transaction with its ledger entry.

A write is acknowledged after the database has flushed it (`synchronous=FULL`, `synchronous_commit`). Where the
connection breaks, the transaction is run again; the reply that it leaves under its key keeps it from happening twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, OperationalError
from sqlmodel import Session

from compliance.errors import ComplianceError, UsageError

T = TypeVar("T")
PATIENCE = 20.0  # seconds for which a write is tried again while the database is away


class StoreError(ComplianceError):
    """The store cannot be reached, or is of another version."""


def now() -> str:
    """Return this moment, UTC, as text that sorts."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Store:
    """A database by its URL; `open()` brings its tables up to this version."""

    def __init__(self, url: str) -> None:
        self.url = _with_driver(url)
        self.engine = _engine(self.url)
        self._writer = self.engine.execution_options(writes=True)

    def open(self) -> Store:
        """Create or upgrade the tables; raises StoreError where the database is newer than this program."""
        if self.engine.dialect.name == "sqlite" and (file := self.engine.url.database):
            Path(file).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            Path(file).touch(mode=0o600)  # SQLite gives its other files the mode of this one
        try:
            migrate(self)
        except DatabaseError as error:
            self.close()
            if not _out_of_reach(error):
                raise
            raise StoreError(f"the store cannot be opened: {_said(error)}") from None
        except StoreError:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session to read; raises StoreError where the database is away."""
        try:
            with Session(self.engine) as session:
                yield session
        except DatabaseError as error:
            if not _out_of_reach(error):
                raise
            raise StoreError(f"the store is not at hand: {_said(error)}") from None

    def read(self, work: Callable[[Session], T]) -> T:
        """Run a function that only reads, again where a connection broke."""
        return self._again(lambda: self._once(work, write=False))

    def write(self, work: Callable[[Session], T]) -> T:
        """Run a function in one transaction, again where the connection broke; it must do no harm when run twice.

        Raises StoreError when the database stays away.
        """
        return self._again(lambda: self._once(work, write=True))

    def _once(self, work: Callable[[Session], T], write: bool) -> T:
        with Session(self._writer if write else self.engine, expire_on_commit=False) as session:
            found = work(session)
            if write:
                session.commit()
            return found

    def _again(self, once: Callable[[], T]) -> T:
        until, pause = time.monotonic() + PATIENCE, 0.05
        while True:
            try:
                return once()
            except DBAPIError as error:
                if not _passing(error) or time.monotonic() + pause > until:
                    if _out_of_reach(error):
                        raise StoreError(f"the store is not at hand: {_said(error)}") from None
                    raise
                time.sleep(pause)
                pause = min(pause * 2, 1.0)

    def alive(self) -> bool:
        """Tell whether the database answers now."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
            return True
        except DBAPIError:
            return False


def _out_of_reach(error: DBAPIError) -> bool:
    """The database is away or its file damaged (SQLite has no narrower class for that): no fault of this program."""
    return isinstance(error, OperationalError) or type(error) is DatabaseError


def _passing(error: DBAPIError) -> bool:
    """A broken connection, a server that starts or stops, a lock, two writers at once: worth another try."""
    code = getattr(error.orig, "sqlstate", None) or ""
    if error.connection_invalidated or code[:2] in ("08", "57", "40"):
        return True
    message = str(error.orig)
    return isinstance(error, OperationalError) and (
        (not code and "locked" in message) or "connection" in message or "server" in message
    )


def _said(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]


def _with_driver(url: str) -> str:
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            return "postgresql+psycopg://" + url.removeprefix(plain)
    return url


def _engine(url: str) -> Engine:
    try:
        kind = make_url(url).get_backend_name()
    except ArgumentError:
        raise UsageError(
            "--database is no address of a database. Allowed: sqlite:///FILE, postgresql://USER@HOST/NAME"
        ) from None
    if kind == "postgresql":
        return create_engine(
            url, pool_pre_ping=True, pool_size=20, max_overflow=20, connect_args={"connect_timeout": 5}
        )
    if kind != "sqlite":
        raise UsageError(f"no store in {kind}. Allowed: sqlite:///FILE, postgresql://USER@HOST/NAME")
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})
    event.listen(engine, "connect", _on_sqlite)
    event.listen(engine, "begin", _begin_on_sqlite)
    return engine


def _on_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin_on_sqlite`
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_on_sqlite(connection: Any) -> None:
    """A writer takes the lock at once: one that reads first and writes later would fail where another came between."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def migrate(store: Store, to: str = "head") -> None:
    """Bring the tables to a revision (`head`, `base` or an id); raises StoreError for a database that is newer."""
    from alembic import command
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = alembic_config()
    with store._writer.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(2021123)"))
        current = _revision(connection)
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if current is not None and current not in known:
            raise StoreError(f"the store is of a newer version ({current}) than this program: update the program")
        config.attributes["connection"] = connection
        try:
            (command.downgrade if _older(to, current) else command.upgrade)(config, to)
        except CommandError as error:
            raise StoreError(f"the store cannot be brought to {to}: {error}") from None
        connection.commit()


def alembic_config() -> Any:
    """Return Alembic's configuration: the migrations beside this file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _revision(connection: Any) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _older(to: str, current: str | None) -> bool:
    return to == "base" or (to != "head" and current is not None and to < current)
