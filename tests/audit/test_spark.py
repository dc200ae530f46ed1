"""The Spark engine gives what the local engine gives, row by row; what it needs and lacks is told in words."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from archives import write_archive, write_desk
from click.testing import CliRunner
from small import write_small

from compliance.archive.inventory import open_inventory
from compliance.audit.carried import Carried, unpack
from compliance.audit.explained import explain
from compliance.audit.profile import load_profile
from compliance.audit.run import Audit, Order, run
from compliance.audit.session import check_installed, session
from compliance.audit.spark import SparkEngine, address
from compliance.audit.waivers import read_waivers
from compliance.cli.main import cli
from compliance.errors import InventoryError, UsageError
from compliance.law.knowledge import load
from compliance.report import files, html
from desk import PLACES

pytestmark = pytest.mark.xdist_group("spark")
SETTINGS = {"spark.master": "local[2]", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "3", "spark.driver.memory": "700m"}
DAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def spark() -> Iterator[object]:
    if not shutil.which("java") and not os.environ.get("REQUIRE_SERVICES"):
        pytest.skip("Java 17 is not installed")
    with session(SETTINGS) as opened:
        yield opened


@pytest.fixture()
def small(tmp_path: Path) -> Path:
    return write_small(tmp_path)


def order(desk: Path, inventory: str = "inv.parquet", **more: object) -> Order:
    profile = load_profile(desk / "profile.yaml", load(desk / "laws"))
    return replace(Order(open_inventory(desk / inventory), profile, DAY), **more)


def both(spark: object, asked: Order) -> tuple[Audit, Audit]:
    """Run an order in both engines, in folders beside the inventory."""
    there = asked.inventory.path.parent
    engine = SparkEngine(spark, address(str(asked.inventory.path)), address(str(there / "shared")))
    local = run(replace(asked, work=there / "local"))
    return local, engine.run(replace(asked, inventory=engine.inventory, work=there / "driver"))


def assert_same(pair: tuple[Audit, Audit], asked: Order) -> None:
    one, other = pair
    assert pq.read_table(one.findings.path).equals(pq.read_table(other.findings.path))
    assert pq.read_table(one.decisions).equals(pq.read_table(other.decisions))
    assert one.findings.path.read_bytes() == other.findings.path.read_bytes()
    assert files.summary(one, asked) == files.summary(other, asked)
    about = html.About("a command", False, "", "0")
    pages = []
    for audit in pair:
        shown = html.to_explain(audit.findings)
        texts = explain(audit, asked, shown)
        assert texts and texts.keys() <= shown.keys()
        pages.append(html.render(audit, asked, about, texts))
    assert pages[0] == pages[1]


def test_the_small_archive_of_every_finding(spark, small):
    asked = order(small)
    assert_same(both(spark, asked), asked)


def test_keepers_mammograms_deidentified_studies_null_dates_over_several_row_groups(spark, tmp_path, monkeypatch):
    monkeypatch.setattr("compliance.audit.spark.ROW_GROUP", 5_000)
    write_desk(tmp_path, PLACES)
    write_archive(tmp_path / "inv.parquet", 20_000)
    asked = order(tmp_path)
    pair = both(spark, asked)
    assert_same(pair, asked)
    codes = {code for code, _, _ in pair[1].findings.counts()}
    assert {"bad-data", "undetermined", "scheduled-early", "lossy-unlawful", "kept-too-long", "conflict", "duty-open"} <= codes
    decisions = pq.read_table(pair[1].decisions)
    assert decisions["row"].to_pylist() == list(range(20_000))
    assert set(decisions["site"].to_pylist()) == {"main", "two", "west", "who", ""}


def test_waivers_baseline_and_deletions(spark, small):
    (small / "waivers.yaml").write_text(
        "waivers:\n  - {match: {code: kept-too-long}, reason: moving house, owner: CIO, until: 2027-01-01}\n"
        "  - {match: {code: lossy-unlawful}, reason: old, owner: CIO, until: 2020-01-01}\n"
        "  - {match: {code: conflict}, reason: none, owner: CIO, until: 2027-01-01}\n"
    )
    (small / "log.csv").write_text("study_uid,deleted_on,reason,copies_left\n1.2,2024-05-05,retention,none\n1.6,2025-01-01,retention,none\n8.8,2025-01-01,retention,none\n")
    asked = order(small, waivers=read_waivers(small / "waivers.yaml"), deleted=small / "log.csv")
    one, other = both(spark, asked)
    assert list(one.findings) == list(other.findings)
    assert {"purged-early", "purged-under-hold", "waiver-dead", "waiver-expired"} <= {code for code, _, _ in other.findings.counts()}
    known = replace(asked, baseline=frozenset(finding.fingerprint for finding in one.findings))
    assert len(both(spark, known)[1].findings) == 0


def test_what_was_evaluated_is_not_evaluated_again(spark, small):
    asked = order(small)
    _, first = both(spark, asked)
    results = next((small / "shared").glob("spark-*/results"))
    written = (results / "_SUCCESS").stat().st_mtime_ns
    _, second = both(spark, asked)
    assert (results / "_SUCCESS").stat().st_mtime_ns == written
    assert list(first.findings) == list(second.findings)


def test_an_inventory_of_another_schema_version_is_refused(spark, small):
    table = pq.read_table(small / "inv.parquet")
    about = json.dumps({"table": "studies", "schema": 99, "id": "x"}).encode()
    pq.write_table(table.replace_schema_metadata({b"compliance": about}), small / "old.parquet")
    with pytest.raises(InventoryError, match="schema version 99"):
        _ = SparkEngine(spark, address(str(small / "old.parquet")), address(str(small))).inventory
    pq.write_table(table.replace_schema_metadata(None), small / "none.parquet")
    with pytest.raises(InventoryError, match="no inventory of studies"):
        _ = SparkEngine(spark, address(str(small / "none.parquet")), address(str(small))).inventory
    with pytest.raises(InventoryError, match="does not exist"):
        _ = SparkEngine(spark, address(str(small / "absent.parquet")), address(str(small))).inventory
    (small / "torn.parquet").write_bytes((small / "inv.parquet").read_bytes()[:-9])
    with pytest.raises(InventoryError, match=r"Spark: .*torn.parquet is not a Parquet file"):
        _ = SparkEngine(spark, address(str(small / "torn.parquet")), address(str(small))).inventory


def test_from_the_command_line(spark, small):
    command = ["audit", str(small / "inv.parquet"), "--profile", str(small / "profile.yaml"), "--laws", str(small / "laws"), "--as-of", "2026-11-24", "--quiet"]
    local = CliRunner().invoke(cli, [*command, "-o", str(small / "one")], standalone_mode=False)
    remote = CliRunner().invoke(cli, [*command, "-o", str(small / "two"), "--engine", "spark"], standalone_mode=False)
    assert local.exception is None and remote.exception is None, (local.exception, remote.exception)
    for name in ("findings.jsonl", "findings.csv", "summary.json", "findings.parquet"):
        assert (small / "one" / name).read_bytes() == (small / "two" / name).read_bytes(), name
    assert sorted(path.name for path in (small / "two").iterdir()) == sorted(path.name for path in (small / "one").iterdir())


def test_what_travels_to_the_executors_is_small_and_comes_back_whole(small):
    asked = order(small)
    assert len(Carried(asked.profile, DAY, ()).pack()) < 200_000
    shipped = load()
    carried = Carried(load_profile(Path("examples/idc/profile.yaml"), shipped), DAY, ())
    packed = carried.pack()
    back = unpack(packed)
    assert len(packed) < 3_000_000
    assert back.profile.knowledge.index.keys() == shipped.index.keys() and back.as_of == DAY


def test_java_that_is_missing_is_told_with_what_to_install(monkeypatch, tmp_path):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"Java 17.*apt install openjdk-17-jre-headless"):
        check_installed()


def test_java_that_is_too_old_is_told(monkeypatch, tmp_path):
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="needs Java 17, found is 11"):
        check_installed()


def test_pyspark_that_is_missing_is_told_with_what_to_install(monkeypatch):
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("compliance.audit.session.version", absent)
    with pytest.raises(UsageError, match=r"needs pyspark.*pip install \"imaging-compliance\[spark\]\""):
        check_installed()


@pytest.mark.parametrize("more", [["--spark-conf", "spark.master=local"], ["--work", "x"], ["--engine", "spark", "--spark-conf", "master"]])
def test_settings_that_make_no_sense_are_told(small, more):
    command = ["audit", str(small / "inv.parquet"), "--profile", str(small / "profile.yaml"), "-o", str(small / "x"), *more]
    error = CliRunner().invoke(cli, command, standalone_mode=False).exception
    assert isinstance(error, UsageError) and ("--engine spark" in str(error) or "KEY=VALUE" in str(error))
