import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from compliance.service.store import Store
from service.serving import Postgres, client_of, need_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    need_postgres()
    server = Postgres()
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database, once in SQLite and once in PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    return request.getfixturevalue("postgres").database(f"t{uuid.uuid4().hex}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(f"sqlite:///{tmp_path / 'store.db'}").open()
    yield made
    made.close()


@pytest.fixture
def api(store: Store) -> Iterator[TestClient]:
    with client_of(store) as client:
        yield client
