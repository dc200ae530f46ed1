"""A law file that was edited is never missed, and one that was not is not read again."""

from __future__ import annotations

import gc
import os
import pickle
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from compliance.errors import LawError
from compliance.law import knowledge, sources
from compliance.law.case import CasesApart
from compliance.law.knowledge import load
from compliance.law.sources import digest_of, known_digest, sources_of

ACT = "XA/medical-images-act.yaml"
_opened: list[str] | None = None


def _note(event: str, arguments: tuple[object, ...]) -> None:
    if _opened is not None and event == "open":
        _opened.append(str(arguments[0]))


sys.addaudithook(_note)


@contextmanager
def opened() -> Iterator[list[str]]:
    """Give the names of the files that are opened."""
    global _opened
    _opened = []
    try:
        yield _opened
    finally:
        _opened = None


@pytest.fixture
def laws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COMPLIANCE_CACHE", str(tmp_path / "cache"))
    shutil.copytree(Path(__file__).parents[1] / "laws", tmp_path / "laws")
    return tmp_path / "laws"


@pytest.fixture
def old(laws: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A base whose files count as older than a tick of the clock."""
    monkeypatch.setattr(sources, "SETTLED", -(10**12))
    load(laws)
    return laws


def edit(place: Path, old: str, new: str) -> None:
    """Edit a file in place, as long as before and with the time it had."""
    before = place.stat()
    text = place.read_text()
    assert len(old) == len(new)
    assert old in text
    with place.open("r+") as file:
        file.write(text.replace(old, new))
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_an_unchanged_base_is_not_read_again(old: Path) -> None:
    with opened() as names:
        again = load(old)
    assert not [name for name in names if name.endswith((".yaml", "VERSION"))]
    assert again.digest == digest_of(sources_of(old))


def test_an_edit_of_the_same_length_with_the_time_set_back_is_seen(old: Path) -> None:
    edit(old / ACT, "7 years after discharge", "9 years after discharge")
    assert "9 years" in str(load(old).statute("XA/medical-images-act").norms[0].versions[0].period)


@pytest.mark.parametrize("name", ["VERSION", "facts.yaml", "jurisdictions.yaml", "XA/another.yaml"])
def test_a_file_that_comes_or_goes_is_seen(old: Path, name: str) -> None:
    before, new = known_digest(old), not (old / name).exists()
    shutil.copy(old / ACT, old / name) if new else (old / name).unlink()
    assert before != known_digest(old) == digest_of(sources_of(old))


def test_a_file_put_in_the_place_of_another_is_seen(old: Path, tmp_path: Path) -> None:
    place, stat = old / ACT, (old / ACT).stat()
    aside = shutil.copy2(place, tmp_path / "aside.yaml")
    edit(aside, "7 years after discharge", "9 years after discharge")
    aside.replace(place)
    assert (place.stat().st_size, place.stat().st_mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    assert known_digest(old) == digest_of(sources_of(old))


def test_files_as_young_as_a_tick_of_the_clock_are_read_every_time(laws: Path, tmp_path: Path) -> None:
    load(laws)
    assert not list((tmp_path / "cache").glob("seen-*"))
    edit(laws / ACT, "7 years after discharge", "9 years after discharge")
    assert "9 years" in str(load(laws).statute("XA/medical-images-act").norms[0].versions[0].period)


def test_a_damaged_mark_is_ignored(old: Path, tmp_path: Path) -> None:
    (mark,) = (tmp_path / "cache").glob("seen-*")
    for content in (b"", b"sha256:0\n", mark.read_bytes()[:-1]):
        mark.write_bytes(content)
        assert known_digest(old) == digest_of(sources_of(old))


def test_cases_are_kept_apart_and_read_when_they_are_asked_for(old: Path) -> None:
    strict = load(old, use_compiled=False)
    load(old)  # writes the build
    built = load(old)
    statute = built.statute("XA/medical-images-act")
    assert isinstance(statute.cases, CasesApart) and statute.cases._read is None
    there = strict.statute(statute.id).cases
    assert there and [one._replace(place=(0, 0)) for one in there] == list(statute.cases)
    assert statute._replace(cases=()) == strict.statute(statute.id)._replace(cases=())
    assert pickle.loads(pickle.dumps(statute.cases))[0] == statute.cases[0]


def test_reading_leaves_the_collector_as_it_was(old: Path) -> None:
    load(old, use_compiled=False)
    assert gc.isenabled()
    gc.disable()
    try:
        load(old, use_compiled=False)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_damaged_digest_of_a_mark_is_ignored_and_written_anew(old: Path, tmp_path: Path) -> None:
    (mark,) = (tmp_path / "cache").glob("seen-*")
    sound, size = mark.read_bytes(), len("sha256:") + 64
    for digest in (b"\xff" * size, b"sha256:a\0b".ljust(size), b"sha256:" + b"0" * 64, b"sha256:../../.."):
        mark.write_bytes(digest + sound[size:])
        assert load(old).digest == digest_of(sources_of(old))
        assert mark.read_bytes() == sound


def test_a_file_changed_while_the_base_is_read_is_never_kept_under_another_digest(laws: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, read = digest_of(sources_of(laws)), knowledge.read_all

    def interrupted(*given):
        monkeypatch.setattr(knowledge, "read_all", read)
        edit(laws / ACT, "7 years after discharge", "9 years after discharge")
        return read(*given)

    monkeypatch.setattr(knowledge, "read_all", interrupted)
    found = load(laws)
    assert found.digest == digest_of(sources_of(laws)) != before
    edit(laws / ACT, "9 years after discharge", "7 years after discharge")
    assert "7 years" in str(load(laws).statute("XA/medical-images-act").norms[0].versions[0].period)


def test_a_full_disk_leaves_nothing_behind(laws: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    monkeypatch.setattr(sources, "SETTLED", -(10**12))
    assert load(laws).digest
    assert not list((tmp_path / "cache").iterdir())


def test_without_a_home_folder_nothing_is_kept(laws: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("COMPLIANCE_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert load(laws).digest == load(laws).digest


@pytest.mark.parametrize("version", [b"\xff\xfe", b"2026.11\x1b[31m", b"<b>", b"", b"1 2", b"x" * 100])
def test_a_version_is_a_version(laws: Path, version: bytes) -> None:
    (laws / "VERSION").write_bytes(version)
    with pytest.raises(LawError) as error:
        load(laws)
    assert "VERSION:1:1: is no version" in str(error.value)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_file_whose_name_is_no_text_is_told(laws: Path) -> None:
    Path(os.fsdecode(os.fsencode(laws) + b"/XA/\xff.yaml")).write_text("a: b")
    with pytest.raises(LawError):
        load(laws)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_by_the_name_of_a_law_file_is_told_and_not_waited_for(laws: Path) -> None:
    os.mkfifo(laws / "XA/pipe.yaml")
    with pytest.raises(LawError, match=r"XA/pipe\.yaml: is no file"):
        load(laws)
