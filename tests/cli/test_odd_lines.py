"""Lines that are no text or no JSON: an error in their place, and the other lines are answered."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from audit.small import write_small
from compliance.cli.main import cli, main

LAWS = Path(__file__).parents[1] / "laws"
GOOD = b'{"id": "good", "as_of": "2026-11-24", "facts": {"jurisdiction": "XA", "study_date": "2012"}}'


def answers(content: bytes) -> list[dict]:
    def strictly(text: str) -> None:
        raise AssertionError(f"{text} is no JSON")

    done = CliRunner().invoke(cli, ["decide", "-", "--laws", str(LAWS)], input=content, standalone_mode=False)
    assert done.exception is None, done.exception
    return [json.loads(line, parse_constant=strictly) for line in done.stdout_bytes.decode().splitlines()]


@pytest.mark.parametrize("line", [b"\xff\xfe", b'{"id": "\xe9"}', b'{"id": NaN, "facts": {}}', b'{"id": 1e400}', b'{"id": [-Infinity]}', b"[" * 50_000])
def test_a_line_that_is_no_text_or_no_json_is_an_error_in_its_place(line):
    first, wrong, last = answers(b"\n".join((GOOD, line, GOOD)))
    assert first == last and first["id"] == "good" and "error" not in first
    assert wrong["id"] is None and wrong["error"]["line"] == 2 and wrong["error"]["message"]


def test_half_a_character_in_an_id_comes_back_as_it_was_sent():
    (found,) = answers(GOOD.replace(b'"good"', b'"\\ud800"'))
    assert found["id"] == "\ud800" and "error" not in found


def test_what_a_message_quotes_from_data_does_nothing_to_the_terminal(tmp_path, monkeypatch, capsys):
    (tmp_path / "x.csv").write_text("uid\n1.1\n")
    (tmp_path / "map.yaml").write_text("rows: study\nwhere: chr(27) || '[31m' || chr(8238)\ncolumns: {study_uid: uid}\n")
    monkeypatch.setattr("sys.argv", ["compliance", "import", str(tmp_path / "x.csv"), "--map", str(tmp_path / "map.yaml"), "-o", str(tmp_path / "o.parquet"), "--key-file", str(tmp_path / "key")])
    with pytest.raises(SystemExit):
        main()
    said = capsys.readouterr().err
    assert "\\x1b[31m\\u202e" in said and "\x1b" not in said and "\u202e" not in said


def test_a_table_that_is_damaged_is_said_without_a_traceback(tmp_path, monkeypatch, capsys):
    write_small(tmp_path)
    table = pq.read_table(tmp_path / "inv.parquet")
    pq.write_table(table.drop_columns(["modality"]).append_column("modality", pa.array([[1]] * table.num_rows)), tmp_path / "inv.parquet")
    monkeypatch.setattr("sys.argv", ["compliance", "audit", str(tmp_path / "inv.parquet"), "--profile", str(tmp_path / "profile.yaml"), "-o", str(tmp_path / "out"), "--laws", str(tmp_path / "laws"), "--quiet"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2 and capsys.readouterr().err.startswith("compliance: ")


@pytest.mark.parametrize("kind", [pa.ArrowInvalid, duckdb.IOException])
def test_what_an_engine_says_of_a_table_is_told(monkeypatch, capsys, kind):
    def broken(**_: object) -> None:
        raise kind("Invalid data\nLINE 1: select")

    monkeypatch.setattr("compliance.cli.main.cli.main", broken)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2 and capsys.readouterr().err == "compliance: a table is damaged or not as this program writes it: Invalid data\n"
