"""`compliance bench`: measures what is there, writes nothing, and says what it needs."""

from __future__ import annotations

import re
from pathlib import Path

import made
import pytest
from click.testing import CliRunner
from small import write_small

from compliance.cli.bench import bench
from compliance.errors import InventoryError, UsageError


def said(*arguments: object) -> str:
    done = CliRunner().invoke(bench, [str(one) for one in arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def rates(text: str) -> list[int]:
    return [int(found.replace(",", "")) for found in re.findall(r"([\d,]+) (?:files|studies)/s", text)]


def files_below(folder: Path) -> set[tuple[str, int]]:
    return {(str(path), path.stat().st_mtime_ns) for path in folder.rglob("*")}


def test_a_folder_is_walked_over_and_read(tmp_path: Path) -> None:
    made.archive(tmp_path, 80)
    before = files_below(tmp_path)
    text = said(tmp_path, "--files", 50, "--workers", 2)
    assert "50 files are too few" in text
    assert "(50 files)" in text and len(rates(text)) == 3 and min(rates(text)) > 0
    assert files_below(tmp_path) == before


def test_an_inventory_is_judged_under_its_profile(tmp_path: Path) -> None:
    write_small(tmp_path)
    before = files_below(tmp_path)
    text = said(tmp_path / "inv.parquet", "--profile", tmp_path / "profile.yaml", "--laws", tmp_path / "laws", "--studies", 5)
    assert "(5 studies)" in text and len(rates(text)) == 2 and min(rates(text)) > 0
    assert files_below(tmp_path) == before


def test_an_inventory_needs_a_profile(tmp_path: Path) -> None:
    write_small(tmp_path)
    with pytest.raises(UsageError, match="--profile"):
        said(tmp_path / "inv.parquet")


def test_an_empty_folder_measures_nothing(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="no files"):
        said(tmp_path)
