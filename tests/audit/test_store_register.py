"""An audit from the shell and the service share one register: holds and waivers of the store count, the audit is registered."""

from __future__ import annotations

import json

from click.testing import CliRunner
from small import write_small

from compliance.cli.main import cli
from compliance.service import ledger
from compliance.service.store import Store
from service.serving import client_of


def _audit(desk, *more: str):
    command = ["audit", str(desk / "inv.parquet"), "--profile", str(desk / "profile.yaml"), "--laws", str(desk / "laws"), "--as-of", "2026-11-24", "-o", str(desk / "out"), "--quiet", *more]
    result = CliRunner().invoke(cli, command, standalone_mode=False)
    assert result.exception is None, result.exception
    return [json.loads(line) for line in (desk / "out/findings.jsonl").read_text().splitlines()]


def test_holds_and_waivers_of_the_store_count_and_the_audit_is_registered(tmp_path):
    desk = write_small(tmp_path)
    alone = _audit(desk)
    url = f"sqlite:///{tmp_path / 'x.db'}"
    store = Store(url).open()
    with client_of(store) as api:
        api.post("/v1/holds", json={"id": "from-the-service", "scope": {"study_uid": ["9.9.9"]}, "issued_by": "Legal", "issued": "2026-01-01"})
        waived = {"reason": "known", "owner": "Records", "until": "2030-01-01", "match": {"study": "1.1"}}
        assert api.post("/v1/waivers", json=waived).status_code == 201
        joined = _audit(desk, "--database", url)
        assert "hold:from-the-service" in {f["norm"] for f in joined if f["code"] == "hold-unmatched"}
        assert all(f["waived"] for f in joined if f["study"] == "1.1") and not any(f["waived"] for f in alone)
        (audit,) = api.get("/v1/audits").json()["items"]
        assert audit["findings"] == len(joined)
        assert [f["study"] for f in api.get("/v1/findings?study=1.1").json()["items"]] == ["1.1"] * sum(f["study"] == "1.1" for f in joined)
    assert store.read(ledger.verify)[2] is None
    store.close()
