"""Scans, tables and inventories: damaged input is listed, never fatal; nothing half written is taken for whole."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
import zlib
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    generate_uid,
)

from compliance.archive import inventory
from compliance.archive.ages import read_age, read_date
from compliance.archive.header import NotDicom, read_header
from compliance.archive.keys import Keys
from compliance.archive.scanning import scan_folder
from compliance.archive.structure import Damaged
from compliance.archive.tables import import_table, read_mapping
from compliance.errors import InventoryError
from compliance.law.dates import DateRange, write_edtf

ROOT = Path(__file__).parents[2]
KEYS = Keys(b"a secret of tests only")


def make(path: Path, syntax: str = ExplicitVRLittleEndian, **more: object) -> Path:
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, generate_uid()
    data.StudyInstanceUID, data.SeriesInstanceUID = "1.2.3", "1.2.3.4"
    data.PatientID, data.PatientName, data.StudyDate, data.PatientAge, data.Modality = "P1", "Doe^Jane", "20200301", "045Y", "CT"
    data.InstitutionName = "General"
    for name, value in more.items():
        setattr(data, name, value)
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator = "113000", "DCM"
    data.ConceptNameCodeSequence = [item]
    data.Rows, data.Columns, data.BitsAllocated, data.PixelData = 2, 2, 8, b"\0" * 64
    data["PixelData"].VR = "OB"
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID, data.file_meta.MediaStorageSOPInstanceUID = CTImageStorage, data.SOPInstanceUID
    data.file_meta.TransferSyntaxUID = syntax
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)
    return path


def scan(folder: Path, target: Path, workers: int = 1):
    return scan_folder(folder, target, KEYS, "2026-11-24T00:00:00+00:00", workers, lambda *_: None)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_every_transfer_syntax_gives_the_same_facts(tmp_path, syntax):
    header = read_header(make(tmp_path / "a.dcm", syntax))
    assert (header["study_uid"], header["study_date"], header["age"], header["title_code"], header["remark"]) == ("1.2.3", "20200301", "045Y", "113000/DCM", "")


def test_a_header_cut_anywhere_is_damaged_and_cut_pixels_are_told(tmp_path):
    whole = make(tmp_path / "a.dcm").read_bytes()
    pixels = whole.index(b"\xe0\x7f\x10\x00")
    for cut in range(132, len(whole)):
        path = tmp_path / "cut.dcm"
        path.write_bytes(whole[:cut])
        if cut < pixels + 12:
            with pytest.raises((Damaged, NotDicom)):
                read_header(path)
        elif cut > pixels + 12:
            assert read_header(path)["remark"] == "pixel data cut short"


def test_nesting_and_inflation_are_bounded(tmp_path):
    whole = make(tmp_path / "a.dcm").read_bytes()
    head = whole[: whole.index(b"\x08\x00\x16\x00")]
    deep = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\xff\xff\xff\xff\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" * 3000
    (tmp_path / "deep.dcm").write_bytes(head + deep)
    with pytest.raises(Damaged, match="nested deeper"):
        read_header(tmp_path / "deep.dcm")
    packed = make(tmp_path / "d.dcm", DeflatedExplicitVRLittleEndian).read_bytes()
    meta_end = 132 + 12 + int.from_bytes(packed[140:144], "little")
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = b"".join(squeeze.compress(b"\0" * (1 << 20)) for _ in range(1024)) + squeeze.flush()
    (tmp_path / "bomb.dcm").write_bytes(packed[:meta_end] + bomb)
    code = "import resource,sys;resource.setrlimit(resource.RLIMIT_AS,(1<<30,1<<30))\nfrom pathlib import Path\nfrom compliance.archive.header import read_header\nread_header(Path(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "bomb.dcm")], capture_output=True, text=True, timeout=60)
    assert "larger than 64 MB" in done.stderr


def test_a_scan_lists_everything_and_keeps_no_names(tmp_path):
    folder = tmp_path / "in"
    first = make(folder / "a/1.dcm", PatientName="<script>alert(1)</script>", InstitutionName="=HYPERLINK(1)")
    (folder / "a/copy.dcm").write_bytes(first.read_bytes())
    (folder / "cut.dcm").write_bytes(first.read_bytes()[:300])
    (folder / "note.txt").write_text("no image " * 40)
    os.mkfifo(folder / "pipe")
    found = scan(folder, tmp_path / "inv.parquet", workers=2)
    assert dict(found.outcomes) == {"read": 1, "duplicate": 1, "damaged": 1, "not DICOM": 1} and found.studies == 1
    for table in inventory.paths(tmp_path / "inv.parquet").values():
        content = str(pq.read_table(table).to_pylist())
        assert "script" not in content and "'P1'" not in content and '"P1"' not in content
    row = pq.read_table(tmp_path / "inv.parquet").to_pylist()[0]
    assert (row["birth_date"], row["n_instances"], row["institution"]) == (date(1974, 3, 2), 1, "=HYPERLINK(1)")
    again = scan(folder, tmp_path / "inv.parquet")
    assert again.opened == 0 and again.digest == found.digest


def test_a_killed_scan_goes_on_and_ends_like_a_whole_one(tmp_path):
    folder = tmp_path / "in"
    for number in range(400):
        make(folder / f"{number % 20}/{number}.dcm", StudyInstanceUID=f"1.2.{number % 40}", SeriesInstanceUID=f"1.2.{number % 40}.1")
    command = [sys.executable, "-m", "compliance.cli", "scan", str(folder), "-o", str(tmp_path / "inv.parquet"), "--workers", "1", "--quiet"]
    work = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    journal = tmp_path / ".inv.parquet.journal"
    for _ in range(400):
        if journal.exists() and journal.stat().st_size > 5000:
            break
        time.sleep(0.01)
    work.send_signal(signal.SIGKILL)
    work.wait()
    resumed = scan(folder, tmp_path / "inv.parquet")
    clean = scan(folder, tmp_path / "other.parquet")
    assert resumed.digest == clean.digest and not journal.exists()


def test_the_files_inside_pydicom_are_scanned_without_a_failure(tmp_path):
    found = scan(Path(pydicom.__file__).parent / "data", tmp_path / "inv.parquet", workers=2)
    assert found.outcomes["read"] > 70 and found.studies > 30


@pytest.mark.parametrize(("text", "want"), [("19970424", "1997-04-24"), ("1997.04.24", "1997-04-24"), ("1997-04", "1997-04-01/1997-04-30"), ("1997", "1997-01-01/1997-12-31"), ("2020-03-01 00:00:00", "2020-03-01")])
def test_dates_old_and_partial(text, want):
    value, wrong = read_date(text)
    assert value is not None and write_edtf(value) == want and not wrong


@pytest.mark.parametrize("text", ["19970231", "N-A", "00000000", "next week"])
def test_dirt_in_dates_is_told(text):
    assert read_date(text)[0] is None and read_date(text)[1]


@pytest.mark.parametrize("text", ["90", "N-A", "0000", "155Y", "ten"])
def test_dirt_in_ages_is_told_never_guessed(text):
    assert read_age(text, DateRange(737485, 737485))[0] is None and read_age(text, DateRange(737485, 737485))[1]


@given(st.dates(date(1930, 1, 1), date(2020, 1, 1)), st.dates(date(2020, 1, 2), date(2026, 1, 1)))
def test_the_true_birth_date_lies_in_the_range_of_the_age(born, study):
    years = study.year - born.year - ((study.month, study.day) < (born.month, born.day))
    day = study.toordinal()
    value, _ = read_age(f"{years:03}Y", DateRange(day, day))
    assert value is not None and value.earliest <= born.toordinal() <= value.latest


def test_tables_are_imported_by_a_mapping_and_faults_are_told(tmp_path):
    (tmp_path / "list.csv").write_text("uid,pid,day,age,mods\n1.2,A,1997.04.24,042y,CT\\SR\n1.3,A,,N-A,MR\n,B,2001,,CT\n")
    (tmp_path / "map.yaml").write_text("rows: study\ncolumns: {study_uid: uid, patient_id: pid, study_date: day, age: age, modality: mods}\n")
    rows, studies, _ = import_table(str(tmp_path / "list.csv"), read_mapping(tmp_path / "map.yaml"), tmp_path / "i.parquet", KEYS, "now")
    assert (rows, studies) == (3, 2)
    first, second = pq.read_table(tmp_path / "i.parquet").to_pylist()
    assert first["study_date"] == date(1997, 4, 24) and first["modality"] == "CT\\SR" and first["birth_date"] == date(1954, 4, 25)
    assert second["study_date"] is None and "N-A" in second["problems"]
    (tmp_path / "map.yaml").write_text("rows: study\ncolumns: {study_uid: uid, modalty: mods}\n")
    with pytest.raises(InventoryError, match="Did you mean 'modality'"):
        read_mapping(tmp_path / "map.yaml")


def test_orthancs_index_is_read_by_its_mapping(tmp_path):
    with sqlite3.connect(tmp_path / "index") as db:
        db.executescript(
            "create table Resources(internalId integer primary key, resourceType int, publicId text, parentId int);"
            "create table MainDicomTags(id int, tagGroup int, tagElement int, value text);"
            "create table AttachedFiles(id int, fileType int, uuid text, compressedSize int, uncompressedSize int);"
            "insert into Resources values (1,0,'p',null),(2,1,'s',1),(3,2,'e',2),(4,3,'i',3);"
            "insert into MainDicomTags values (1,16,32,'P1'),(1,16,48,'19700101'),(2,32,13,'1.2'),(2,8,32,'20200301'),(3,32,14,'1.2.1'),(3,8,96,'CT');"
            "insert into AttachedFiles values (4,1,'u',10,4096);"
        )
    import_table(f"sqlite:///{tmp_path / 'index'}", read_mapping(ROOT / "examples/orthanc/mapping.yaml"), tmp_path / "i.parquet", KEYS, "now")
    row = pq.read_table(tmp_path / "i.parquet").to_pylist()[0]
    assert (row["study_uid"], row["birth_date"], row["modality"], row["bytes"], row["n_instances"]) == ("1.2", date(1970, 1, 1), "CT", 4096, 1)


def test_the_database_of_dcm4chee_is_read_by_its_mapping(tmp_path):
    with sqlite3.connect(tmp_path / "arc") as db:
        db.executescript(
            "create table patient(pk int, pat_birthdate text, pat_sex text); create table patient_id(pk int, pat_id text, patient_fk int);"
            "create table study(pk int, study_iuid text, study_date text, accession_no text, expiration_date text, patient_fk int);"
            "create table series(pk int, series_iuid text, institution text, station_name text, modality text, body_part text, study_fk int);"
            "create table instance(pk int, series_fk int); create table location(pk int, object_size int, instance_fk int);"
            "insert into patient values (1,'19700101','F'); insert into patient_id values (1,'P1',1); insert into study values (1,'1.2','20200301','A','2026-01-01',1);"
            "insert into series values (1,'1.2.1','General','S','MR','HEAD',1); insert into instance values (1,1); insert into location values (1,100,1);"
        )
    import_table(f"sqlite:///{tmp_path / 'arc'}", read_mapping(ROOT / "examples/dcm4chee/mapping.yaml"), tmp_path / "i.parquet", KEYS, "now")
    row = pq.read_table(tmp_path / "i.parquet").to_pylist()[0]
    assert (row["modality"], row["archive_expiry"], row["bytes"]) == ("MR", date(2026, 1, 1), 100)
