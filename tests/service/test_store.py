"""The store: nothing acknowledged is lost, nothing half written is read, the ledger tells of every change."""

from __future__ import annotations

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from click.testing import CliRunner
from sqlalchemy import event, inspect, text

from compliance.cli.serve import ledger as command
from compliance.errors import UsageError
from compliance.service import keys, ledger, tables
from compliance.service.store import Store, StoreError, migrate, now
from service.serving import Process, client_of, serving


def _entry(store: Store, number: int) -> None:
    store.write(lambda session: ledger.append(session, now(), "tester", "tried", f"thing {number}", {"number": number}))


def test_the_tables_go_up_and_down_with_data(url):
    store = Store(url).open()
    keys.make(store, "pacs", ["read"])
    _entry(store, 1)
    migrate(store, "0001")
    assert [one.name for one in keys.every(store)] == ["pacs"]
    migrate(store, "head")
    assert store.read(ledger.verify)[0] == 2
    migrate(store, "base")
    assert inspect(store.engine).get_table_names() == ["alembic_version"]
    migrate(store, "head")
    assert keys.every(store) == []
    store.close()


def test_a_ledger_that_is_not_there_is_not_called_whole(tmp_path):
    said = CliRunner().invoke(command, ["verify", "--database", f"sqlite:///{tmp_path / 'mistyped.db'}"])
    assert isinstance(said.exception, UsageError) and "no store at" in str(said.exception)
    assert not list(tmp_path.iterdir())


def test_the_migrations_make_what_the_tables_say(url):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlmodel import SQLModel

    store = Store(url).open()
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []
    assert tables
    store.close()


def test_a_store_of_a_newer_program_is_refused(url):
    store = Store(url).open()
    store.write(lambda session: session.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    with pytest.raises(StoreError, match="newer version"):
        Store(url).open()
    store.close()


def test_many_open_a_new_store_at_once(url):
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: Store(url).open(), range(8)))
    assert all(one.alive() for one in opened)
    for one in opened:
        one.close()


def test_concurrent_writers_make_one_chain(url):
    store = Store(url).open()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: _entry(store, number), range(80)))
    number, _, broken = store.read(ledger.verify)
    assert (number, broken) == (80, None)
    store.close()


def test_a_write_that_fails_leaves_nothing(url):
    store = Store(url).open()

    def half(session):
        ledger.append(session, now(), "tester", "tried", "x", {})
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.write(half)
    assert store.read(ledger.verify)[0] == 0
    store.close()


@pytest.mark.parametrize("change", ["UPDATE ledger SET body = '{}' WHERE number = 2", "DELETE FROM ledger WHERE number = 2"])
def test_the_database_itself_refuses_to_change_the_ledger(url, change):
    store = Store(url).open()
    for number in range(3):
        _entry(store, number)
    with pytest.raises(Exception, match="append-only"):
        store.write(lambda session: session.execute(text(change)))
    store.close()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("UPDATE ledger SET body = '{}' WHERE number = 2", "entry 2 .* was changed"),
        ("UPDATE ledger SET actor = 'somebody else' WHERE number = 3", "entry 3 .* was changed"),
        ("DELETE FROM ledger WHERE number = 2", "entry 2 .* is missing"),
        ("DELETE FROM ledger WHERE number = 3", "entry 3 .* is missing: entry 3 was noted"),
        ("INSERT INTO ledger SELECT -1, at, actor, act, subject, body, previous, 'x' FROM ledger WHERE number = 1", "entry -1 .* never written"),
        ("UPDATE ledger SET body = CAST(x'ff' AS BLOB) WHERE number = 2", "entry 2 .* was changed"),
    ],
)
def test_tampering_is_found(tmp_path, change, why):
    url = f"sqlite:///{tmp_path / 'x.db'}"
    store = Store(url).open()
    for number in range(3):
        _entry(store, number)
    head = CliRunner().invoke(command, ["verify", "--database", url], standalone_mode=False).output.strip()
    assert head.startswith("3:")
    with store.engine.begin() as connection:
        for act in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER ledger_no_{act}"))
        connection.execute(text(change))
    found = CliRunner().invoke(command, ["verify", "--database", url, "--head", head], standalone_mode=False)
    assert found.return_value == 1
    assert re.search(why, found.output)
    store.close()


def _everything(url: str) -> None:
    """A row in each table that the ledger writes about: two holds (one released), a waiver, an approval, a signature, keys."""
    store = Store(url).open()
    with client_of(store, webhook_private=True) as api:
        for id in ("m1", "m2"):
            api.post("/v1/holds", json={"id": id, "scope": {"study_date": "2012", "modality": ["CT"]}, "issued_by": "Legal"})
        api.post("/v1/holds/m2/release", json={"released_by": "Legal", "why": "settled"})
        waiver = api.post("/v1/waivers", json={"reason": "moved", "owner": "Records", "until": "2030-01-01", "match": {"site": "north"}}).json()
        api.post(f"/v1/waivers/{waiver['id']}/withdraw", json={"released_by": "Records", "why": "found"})
        api.post("/v1/approvals", json={"subject": "plan-1", "digest": "sha256:" + "0" * 64, "role": "Head"})
        law = api.get("/v1/laws/XA/medical-images-act").json()["digest"]
        api.post("/v1/sign-offs", json={"statute": "XA/medical-images-act", "digest": law, "role": "Counsel"})
        made = api.post("/v1/webhooks", json={"url": "http://127.0.0.1:9/x", "events": ["hold.created"]})
        assert made.status_code == 201, made.text
    keys.make(store, "pacs", ["read"])
    keys.make(store, "gone", ["read"])
    keys.revoke(store, "gone")
    store.close()


BEHIND = {
    "UPDATE holds SET released = '2020-01-01' WHERE id = 'm1'": "holds m1: released is not as entry 2 wrote it",
    "UPDATE holds SET released = '', scope = '{\"modality\": [\"ZZ\"]}' WHERE id = 'm2'": "holds m2: scope is not as entry 3 wrote it; released is not as entry 4 wrote it",
    "INSERT INTO holds SELECT 'm3', scope, matter, issued_by, trigger, issued, review_by, added_by, added, released, released_by, released_why "
    "FROM holds WHERE id = 'm1'": "holds m3: was not written by an entry of the ledger",
    "UPDATE waivers SET until = '2099-01-01', withdrawn = ''": "waivers ID: until is not as entry 5 wrote it; withdrawn is not as entry 6 wrote it",
    "UPDATE approvals SET role = 'Board'": "approvals ID: role is not as entry 7 wrote it",
    "DELETE FROM sign_offs": "sign_offs ID: is gone",
    "UPDATE webhooks SET url = 'https://evil.example/'": "webhooks ID: url is not as entry 9 wrote it",
    "UPDATE clients SET scopes = 'admin' WHERE name = 'pacs'": "clients ID: scopes is not as entry 10 wrote it",
    "UPDATE clients SET revoked = '' WHERE name = 'gone'": "clients ID: revoked is not as entry 12 wrote it",
}  # fmt: skip


def test_a_row_changed_behind_the_ledgers_back_is_found(url):
    _everything(url)
    whole = CliRunner().invoke(command, ["verify", "--database", url], standalone_mode=False)
    assert (whole.exception, whole.return_value) == (None, 0)
    store = Store(url)
    for change in BEHIND:
        store.write(lambda session, change=change: session.execute(text(change)))
    store.close()
    found = CliRunner().invoke(command, ["verify", "--database", url], standalone_mode=False)
    assert (found.exception, found.return_value) == (None, 1)
    said = [re.sub("[0-9a-f]{32}", "ID", line.removeprefix("compliance: ")) for line in found.stderr.splitlines()]
    assert sorted(said) == sorted(BEHIND.values())
    assert found.stdout == whole.stdout


def test_a_later_entry_does_not_hide_an_earlier_change(url):
    _everything(url)
    store = Store(url).open()
    store.write(lambda session: session.execute(text("UPDATE holds SET issued_by = 'somebody' WHERE id = 'm1'")))
    with client_of(store) as api:
        key = {"authorization": "Bearer " + keys.make(store, "root", ["admin"])}
        assert api.post("/v1/holds/m1/release", json={"released_by": "Legal", "why": "settled"}, headers=key).status_code == 200
    _, _, broken, found = store.read(ledger.check)
    assert broken is None and [(one.table, one.id, one.why) for one in found] == [("holds", "m1", "issued_by is not as entry 2 wrote it")]
    store.close()


def test_json_that_was_broken_by_hand_is_told_not_fallen_over(tmp_path):
    url = f"sqlite:///{tmp_path / 'x.db'}"
    _everything(url)
    store = Store(url).open()
    store.write(lambda session: session.execute(text("UPDATE holds SET scope = '{' WHERE id = 'm1'")))
    assert [one.why for one in store.read(ledger.check)[3]] == ["scope is not as entry 2 wrote it"]
    store.close()


def _hold(base: str, number: int) -> bool:
    body = {"id": f"matter-{number}", "scope": {"modality": ["CT"]}, "issued_by": "Legal"}
    for _ in range(5):
        try:
            answer = httpx.post(f"{base}/v1/holds", json=body, timeout=60, headers={"Idempotency-Key": f"k{number}"})
        except httpx.HTTPError:
            return False
        if answer.status_code != 503:
            return answer.status_code == 201
        time.sleep(int(answer.headers["Retry-After"]))
    return False


def _burst(process: Process, disturb, many: int = 120, callers: int = 16) -> set[int]:
    """Write holds from many threads, disturb in the middle; return those that were acknowledged."""
    acknowledged: set[int] = set()
    middle = threading.Event()

    def one(number: int) -> None:
        if number == many // 3:
            middle.set()
        if _hold(process.url, number):
            acknowledged.add(number)

    with ThreadPoolExecutor(callers) as pool:
        futures = [pool.submit(one, number) for number in range(many)]
        middle.wait(60)
        disturb()
        for future in futures:
            future.result()
    return acknowledged


def _on_file(base: str) -> set[int]:
    return {int(one["id"].removeprefix("matter-")) for one in httpx.get(f"{base}/v1/holds", timeout=30).json()}


def test_killed_in_the_middle_nothing_acknowledged_is_lost(url):
    with serving(url) as process:
        acknowledged = _burst(process, process.kill)
    assert acknowledged
    with serving(url) as again:
        assert acknowledged <= _on_file(again.url)
        written = _on_file(again.url)
    number, _, broken = (store := Store(url)).read(ledger.verify)
    assert broken is None and number == len(written) + 1  # and the entry that notes the law
    store.close()


def test_two_hundred_callers_and_postgresql_restarted_in_the_middle_nothing_is_lost_and_nobody_is_refused_for_long(postgres):
    url = postgres.database("restarted")

    def restart() -> None:
        postgres.stop("immediate")
        postgres.start()

    with serving(url) as process:
        acknowledged = _burst(process, restart, many=300, callers=200)
        assert acknowledged == set(range(300)) == _on_file(process.url)
    store = Store(url)
    assert store.read(ledger.verify)[0] == 301
    store.close()


def test_without_its_store_the_service_decides_nothing(tmp_path):
    from compliance.service import store as module
    from service.serving import CHILD

    store = Store(f"sqlite:///{tmp_path / 'x.db'}").open()
    with client_of(store) as client:
        patience, module.PATIENCE = module.PATIENCE, 0.2
        try:
            store.write(lambda session: session.execute(text("ALTER TABLE holds RENAME TO gone")))
            answer = client.post("/v1/guard", json={"facts": CHILD, "reason": "retention", "copies_left": 0})
        finally:
            module.PATIENCE = patience
        assert answer.status_code == 503
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
    store.close()


def test_on_a_full_disk_nothing_is_acknowledged_and_nothing_is_half_written(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'x.db'}").open()
    event.listen(store.engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 90"))
    store.close()
    acknowledged = 0
    with client_of(store) as client:
        for number in range(300):
            body = {"id": f"m{number}", "scope": {"modality": ["CT"]}, "issued_by": "Legal", "matter": "x" * 3000}
            answer = client.post("/v1/holds", json=body)
            if answer.status_code != 201:
                break
            acknowledged += 1
        assert 0 < acknowledged < 300
        assert (answer.status_code, "full" in answer.json()["detail"]) == (503, True)
        assert len(client.get("/v1/holds").json()) == acknowledged
        assert store.read(ledger.verify)[2] is None
    store.close()


def test_the_file_of_the_store_is_its_owners_alone(tmp_path):
    store = Store(f"sqlite:///{tmp_path / 'new/x.db'}").open()
    _entry(store, 1)
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "new").iterdir()} == {0}
    store.close()


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"SQLite format 3\0" + b"\xff" * 8000])
def test_a_damaged_file_is_said_without_a_traceback(tmp_path, content):
    (tmp_path / "store.db").write_bytes(content)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(f"sqlite:///{tmp_path / 'store.db'}").open()


def test_a_page_of_the_file_that_is_damaged_while_it_is_open_is_said_without_a_traceback(store, api, tmp_path):
    assert api.get("/v1/holds").status_code == 200
    store.close()
    for file in tmp_path.glob("store.db*"):
        file.write_bytes(b"garbage" * 1000)
    assert api.get("/v1/holds").status_code == 503
    with pytest.raises(StoreError, match="not at hand"), store.reading():
        store.read(ledger.verify)
