"""What the instances of a series have in common is compared at once, and never changes what is read of any of them."""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import made
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_headers import GRAMMARS, agree

from compliance.archive.attributes import Header
from compliance.archive.header import quick_header
from compliance.archive.runs import Element, Runs
from compliance.archive.structure import LONG_FORM
from compliance.archive.walk import Unusual

Change = tuple[str, int, bytes]  # what, at which element, tag or byte, with which bytes
SERIES = b"1.2.3.4 "
WORDS = [b"", b"AB", b"CD", b"ABCD", b"1.5 ", b"1.50", b"M\xfcller", b"x\\y ", b"\x1b$B;3", b"  ", b"\0\0"]
ITEM = {order: struct.pack(order + "HHL", 0xFFFE, 0xE000, 0) for order in "<>"}
END = {order: struct.pack(order + "HHL", 0xFFFE, 0xE0DD, 0) for order in "<>"}
USUAL = [
    (0x00080005, b"CS", b"ISO_IR 100"), (0x00080008, b"CS", b"ORIGINAL"), (0x00080013, b"TM", b"101112"),
    (0x00080016, b"UI", b"1.2.840.10008.5.1.4.1.1.88.11\0"), (0x00080018, b"UI", b"1.2.3.4.5\0"), (0x00080020, b"DA", b"20200301"),
    (0x00080060, b"CS", b"CT"), (0x00080080, b"LO", b"M\xfcller"), (0x00081140, b"SQ", b"\0"), (0x00090010, b"LO", b"SEED"),
    (0x00091001, b"OB", b"\0\1\2\3" * 9), (0x00100020, b"LO", b"P1"), (0x00180050, b"DS", b"1.25"), (0x0018A001, b"SQ", b""),
    (0x0020000D, b"UI", b"1.2.3\0"), (0x0020000E, b"UI", SERIES), (0x00200013, b"IS", b"1 "), (0x00200032, b"DS", b"0\\0\\1.5 "),
    (0x00282112, b"DS", b"10"), (0x0040A043, b"SQ", b""), (0x00400009, b"SH", b"R1"),
]  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[list[Change]]:
    """Return what is changed in the instances of a series, in the order of reading: few elements, again and again."""
    places = st.sampled_from(draw(st.lists(st.integers(0, len(USUAL) - 1), min_size=1, max_size=3)))
    new = st.sampled_from([0x00081010, 0x00091002, 0x00181000, 0x00380030])
    odd = st.sampled_from([b"UN", b"LO", b"OB", b"SQ", b"??"])
    change = st.one_of(
        st.tuples(st.just("value"), places, st.sampled_from(WORDS)),
        st.tuples(st.just("left out"), places, st.just(b"")),
        st.tuples(st.just("VR"), places, odd),
        st.tuples(st.just("put in"), new, st.sampled_from(WORDS)),
        st.tuples(st.just("byte"), st.integers(0, 400), st.binary(min_size=1, max_size=2)),
        st.tuples(st.just("cut"), st.integers(1, 120), st.just(b"")),
    )
    return draw(st.lists(st.lists(change, max_size=3), min_size=2, max_size=8))


def element(order: str, implicit: bool, tag: int, vr: bytes, value: bytes) -> bytes:
    head, size = struct.pack(order + "HH", tag >> 16, tag & 0xFFFF), len(value)
    if vr == b"SQ":
        size, value = (0xFFFFFFFF, END[order]) if value else (8, ITEM[order])
    if implicit:
        return head + struct.pack(order + "L", size) + value
    return head + vr + (struct.pack(order + "xxL", size) if vr in LONG_FORM else struct.pack(order + "H", size)) + value


def instance(syntax: str, changes: list[Change]) -> bytes:
    """Return a file of the series in which something is unlike the usual one."""
    there = {tag: (vr, value) for tag, vr, value in USUAL}
    for what, number, content in changes:
        if what == "put in":
            there[number] = (b"LO", content)
        elif what in ("value", "VR", "left out"):
            tag, vr, value = USUAL[number]
            there[tag] = (vr, content) if what == "value" else (content, value)
            if what == "left out":
                del there[tag]
    order, implicit = ">" if syntax == made.BIG else "<", syntax == made.IMPLICIT
    data = bytearray(b"".join(element(order, implicit, tag, *there[tag]) for tag in sorted(there)))
    for what, number, content in changes:
        if what == "byte":
            data[number : number + len(content)] = content
        elif what == "cut":
            del data[-number:]
    name = syntax.encode() + b"\0" * (len(syntax) % 2)
    meta = element("<", False, 0x00020010, b"UI", name)
    return bytes(128) + b"DICM" + element("<", False, 0x00020000, b"UL", struct.pack("<L", len(meta))) + meta + data


def taken(path: Path) -> Header | None:
    try:
        return quick_header(path)
    except Unusual:
        return None


@given(
    st.sampled_from([made.IMPLICIT, made.EXPLICIT, made.BIG]),
    histories(),
)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_instance_is_read_as_if_nothing_were_known_of_its_series(tmp_path, syntax, instances):
    path = tmp_path / "a.dcm"
    for grammar in GRAMMARS:
        grammar.runs.clear()
    for changes in instances:
        path.write_bytes(instance(syntax, changes))
        agree(path)
        here = taken(path)
        known = [grammar.runs for grammar in GRAMMARS]
        for grammar in GRAMMARS:
            grammar.runs = {}
        assert taken(path) == here
        for grammar, runs in zip(GRAMMARS, known, strict=True):
            grammar.runs = runs


def test_from_the_second_instance_on_no_element_is_walked_alone(tmp_path, monkeypatch):
    walked: list[int] = []
    record = Runs.record

    def recorded(self: Runs, block: bytes, elements: list[Element]) -> None:
        walked.append(len(elements))
        record(self, block, elements)

    monkeypatch.setattr(Runs, "record", recorded)
    monkeypatch.setattr(Runs, "left", lambda self, elements: walked.append(len(elements)))
    for grammar in GRAMMARS:
        grammar.runs.clear()
    for content in made.files(7 * 5, seed=11, pixels=64, per_series=5):
        (tmp_path / "a.dcm").write_bytes(content)
        quick_header(tmp_path / "a.dcm")
    assert min(walked[::5]) > 100
    assert sum(walked) == sum(walked[::5]) and len(walked) == 35


def test_series_may_be_read_in_any_order_and_by_many_threads_at_once(tmp_path):
    paths = []
    for number, content in enumerate(made.files(84, seed=13, pixels=64, per_series=12)):
        paths.append(tmp_path / f"{number % 12:02}-{number // 12}.dcm")
        paths[-1].write_bytes(content)
    expected = {}
    for path in sorted(paths):
        for grammar in GRAMMARS:
            grammar.runs.clear()
        expected[path] = quick_header(path)
    for _ in range(5):
        with ThreadPoolExecutor(8) as threads:
            assert dict(zip(expected, threads.map(quick_header, expected), strict=True)) == expected
        for grammar in GRAMMARS:
            grammar.runs.clear()


@pytest.mark.parametrize("syntax", [made.IMPLICIT, made.EXPLICIT, made.BIG])
def test_what_was_loose_in_the_last_series_may_be_a_sequence_in_this_one(tmp_path, syntax):
    other = ("value", 15, b"1.2.3.5 ")
    usual = [[("value", 2, b"101113")], [("value", 2, b"101114")], [other], [("VR", 2, b"SQ"), other], [other]]
    sequence = [[("value", 15, b"1.2.3.6 "), ("VR", 2, b"SQ")], [("value", 15, b"1.2.3.6 "), ("value", 2, b"101115")]]
    for changes in [*usual, *sequence, *usual]:
        (tmp_path / "a.dcm").write_bytes(instance(syntax, changes))
        agree(tmp_path / "a.dcm")


@pytest.mark.parametrize("syntax", [made.IMPLICIT, made.EXPLICIT, made.BIG])
def test_a_series_of_two_kinds_of_instances_is_read_right_however_they_follow(tmp_path, syntax):
    kinds = [[], [("left out", 5, b""), ("left out", 10, b""), ("put in", 0x00181000, b"ABCD")]]
    for number in (0, 0, 1, 0, 1, 1, 1, 0, 0, 1):
        (tmp_path / "a.dcm").write_bytes(instance(syntax, kinds[number]))
        assert agree(tmp_path / "a.dcm")
