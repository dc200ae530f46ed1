"""The quick walk gives what pydicom gives, on every file, or leaves the file to it; nothing damaged passes for whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import made
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.uid import UID_dictionary

from compliance.archive import attributes, careful, walk
from compliance.archive import header as header_module
from compliance.archive.attributes import Attribute, Header, NotDicom
from compliance.archive.header import quick_header, read_header
from compliance.archive.structure import LONG_FORM, SHORT_FORM, Damaged
from compliance.archive.texts import Unusual

DATA = Path(pydicom.__file__).parent / "data"
FEW = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def outcome(read, path: Path) -> Header | str:
    try:
        return read(path)
    except (Damaged, NotDicom) as error:
        return f"{type(error).__name__}: {error}"


def agree(path: Path) -> bool:
    """Assert that both readers agree; return whether the quick one took the file."""
    expected = outcome(careful.read_header, path)
    assert outcome(read_header, path) == expected
    try:
        assert quick_header(path) == expected
        return True
    except Unusual:
        return False


def samples() -> list[bytes]:
    """Return small files of seven transfer syntaxes, four of each so that runs are recorded, compared and split."""
    return list(made.files(84, seed=7, pixels=64, per_series=4))


SAMPLES = samples()
GRAMMARS = [header_module._EXPLICIT, *header_module._GRAMMARS.values()]


def test_files_inside_pydicom_give_the_same_header_and_most_whole_ones_are_taken(tmp_path):
    paths = [path for path in sorted(DATA.rglob("*")) if path.is_file()]
    taken = sum(agree(path) for path in paths)
    whole = sum(isinstance(outcome(careful.read_header, path), dict) for path in paths)
    assert taken >= 0.9 * whole > 50


def test_a_generated_archive_of_seven_transfer_syntaxes_and_seven_charsets_is_taken_whole(tmp_path):
    seen = set()
    for number, content in enumerate(SAMPLES):
        (tmp_path / "a.dcm").write_bytes(content)
        assert agree(tmp_path / "a.dcm"), number
        header = quick_header(tmp_path / "a.dcm")
        seen.add((header["transfer_syntax"], header["institution"]))
    assert len({syntax for syntax, _ in seen}) == 7 and len({place for _, place in seen}) == 7


@FEW
@given(st.data())
def test_bytes_changed_anywhere_never_make_the_readers_differ(tmp_path, data):
    content = bytearray(data.draw(st.sampled_from(SAMPLES)))
    last = len(content) - 1
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.one_of(st.integers(128, min(last, 1200)), st.integers(128, last)))
        content[at] = data.draw(
            st.one_of(st.integers(0, 255), st.sampled_from([0, 0xFF, 0xFE, 0x0D, 0xE0, 0x1B, 0x5C, 0x20]))
        )
    (tmp_path / "a.dcm").write_bytes(content)
    agree(tmp_path / "a.dcm")


@FEW
@given(st.data())
def test_files_cut_and_spliced_anywhere_never_make_the_readers_differ(tmp_path, data):
    first, second = data.draw(st.sampled_from(SAMPLES)), data.draw(st.sampled_from(SAMPLES))
    head, tail = data.draw(st.integers(0, len(first))), data.draw(st.integers(0, len(second)))
    (tmp_path / "a.dcm").write_bytes(first[:head] + second[tail:])
    agree(tmp_path / "a.dcm")


ODD_HEADS = [
    b"\x08\x00\x05\x00CS\x04\x00odd ", b"\x09\x00\x10\x00LO\x02\x00ab", b"\x09\x10\x01\x10SQ\0\0\xff\xff\xff\xff",
    b"\x09\x10\x01\x10UN\0\0\xff\xff\xff\xff", b"\x09\x10\x01\x10\xff\xff\xff\xff", b"\x09\x10\x01\x10OB\0\0\xff\xff\xff\xff",
    b"\xfe\xff\x00\xe0\xff\xff\xff\xff", b"\xfe\xff\x00\xe0\0\0\0\0", b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0",
    b"\xfe\xff\xdd\xe0\x01\0\0\0", b"\xe0\x7f\x10\x00OW\0\0\x02\0\0\0ab", b"\0\0\0\0UL\x04\0\0\0\0\0", b"\x10\x00\x20\x00UN\0\0\x02\0\0\0P1",
    b"\x28\x00\x12\x21DS\x02\x00x ", b"\x20\x00\x0d\x00UI\x02\x001\0",
]  # fmt: skip


@pytest.fixture(scope="module")
def known_heads(tmp_path_factory) -> list[bytes]:
    place = tmp_path_factory.mktemp("heads") / "a.dcm"
    for content in SAMPLES:
        place.write_bytes(content)
        quick_header(place)
    return sorted(head for grammar in GRAMMARS for known in (grammar.outer, grammar.inner) for head in known)


@FEW
@given(st.data())
def test_elements_put_in_or_given_another_head_never_make_the_readers_differ(tmp_path, known_heads, data):
    content = data.draw(st.sampled_from([one for one in SAMPLES if b"1.2.840.10008.1.2.1.99" not in one[:400]]))
    at = content.find(data.draw(st.sampled_from(known_heads)), 300)
    new = data.draw(st.one_of(st.sampled_from(known_heads), st.sampled_from(ODD_HEADS)))
    (tmp_path / "a.dcm").write_bytes(content[: max(at, 0)] + new + content[at + data.draw(st.sampled_from([0, 8])) :])
    agree(tmp_path / "a.dcm")


def test_a_header_longer_than_the_first_block_is_read_on_and_far_values_are_found(tmp_path):
    for syntax in made.SYNTAXES:
        for length in (0, 9_000, 16_000, 70_000, 300_000):
            shared = made.series(made.random.Random(3), 4)
            made.vary(shared, made.random.Random(4), 1)
            shared.private_block(0x0009, "FAR", create=True).add_new(0x01, "OB", bytes(length))
            shared.ReferencedImageSequence = made.Sequence(
                [made.reference(made.random.Random(n)) for n in range(length // 100)]
            )
            (tmp_path / "a.dcm").write_bytes(made.encoded(shared, syntax, b"\0" * 64))
            assert agree(tmp_path / "a.dcm")
            assert (
                quick_header(tmp_path / "a.dcm")["contributing_equipment"]
                == "109102/DCM 山田病院 X; 109103/DCM Acme PACS 1"
            )


@pytest.mark.parametrize(
    "raw",
    [
        b"ISO_IR 100",
        b"\\ISO 2022 IR 87",
        b"ISO 2022 IR 13\\ISO 2022 IR 87",
        b"\\ISO 2022 IR 149",
        b"\\ISO 2022 IR 58",
        b"ISO_IR 192",
        b"GB18030",
        b"ISO_IR 13",
        b"latin1",
        b"ISO-IR 100",
        b"GBK\\ISO_IR 100",
    ],
)
@given(
    value=st.one_of(
        st.binary(max_size=24),
        st.lists(
            st.sampled_from(
                [
                    b"\x1b$B",
                    b"\x1b(B",
                    b"\x1b(J",
                    b"\x1b$)C",
                    b"\x1b-A",
                    b";3ED",
                    b"\xb3\xb2",
                    b"abc",
                    b"\\",
                    b" ",
                    b"\0",
                    b"^",
                    b"\n",
                ]
            )
        ).map(b"".join),
    )
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_values_in_every_character_set_are_decoded_as_pydicom_decodes_them(tmp_path, raw, value):
    content = next(one for one in SAMPLES if made.EXPLICIT.encode() + b"\0" in one[:400])
    value += b" " * (len(value) % 2)
    start = 144 + int.from_bytes(content[140:144], "little")
    raw += b" " * (len(raw) % 2)
    charset = b"\x08\0\x05\0CS" + len(raw).to_bytes(2, "little") + raw
    place, old = content.index(b"\x08\0\x80\0LO"), int.from_bytes(content[start + 6 : start + 8], "little")
    rest = start + 8 + old if content[start : start + 4] == b"\x08\0\x05\0" else start
    size = int.from_bytes(content[place + 6 : place + 8], "little")
    named = content[place : place + 6] + len(value).to_bytes(2, "little") + value
    (tmp_path / "a.dcm").write_bytes(
        content[:start] + charset + content[rest:place] + named + content[place + 8 + size :]
    )
    agree(tmp_path / "a.dcm")


def test_the_usual_file_is_read_without_pydicom(tmp_path):
    plain = [one for number, one in enumerate(SAMPLES) if made.CHARSETS[number // 4 % 7][0] == ""]
    assert len(plain) == 12
    for number, content in enumerate([*plain, b"no image " * 40]):
        (tmp_path / f"{number}.dcm").write_bytes(content)
    code = (
        "import sys, compliance.archive.folder; from pathlib import Path\n"
        "from compliance.archive.header import NotDicom, read_header\n"
        "for path in Path(sys.argv[1]).iterdir():\n"
        "    try: read_header(path)\n"
        "    except NotDicom: pass\n"
        "sys.exit('pydicom' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, timeout=60)


def test_the_wanted_attributes_are_those_of_the_dicom_dictionary():
    wanted = [*attributes.TEXTS.values(), *(one for one in vars(attributes).values() if isinstance(one, Attribute))]
    assert len(wanted) > 30
    for one in wanted:
        assert (tag_for_keyword(one.keyword), dictionary_VR(one.tag)) == (one.tag, one.vr.decode())
    assert {dictionary_VR(tag) for tag in walk._SEQUENCES} == {"SQ"}


def test_the_value_representations_are_those_of_pydicom():
    from pydicom.valuerep import EXPLICIT_VR_LENGTH_16, EXPLICIT_VR_LENGTH_32

    assert {vr.decode() for vr in SHORT_FORM} == {str(vr) for vr in EXPLICIT_VR_LENGTH_16}
    assert {vr.decode() for vr in LONG_FORM} == {str(vr) for vr in EXPLICIT_VR_LENGTH_32}


def test_no_class_taken_for_one_without_images_stores_images():
    for uid, entry in UID_dictionary.items():
        assert attributes.is_image(uid) == ("Image Storage" in entry[0])


def test_gdcm_reads_the_same_identifiers(tmp_path):
    gdcm = pytest.importorskip("gdcm")
    for content in SAMPLES:
        (tmp_path / "a.dcm").write_bytes(content)
        header, reader = quick_header(tmp_path / "a.dcm"), gdcm.Reader()
        reader.SetFileName(str(tmp_path / "a.dcm"))
        assert reader.Read()
        words = gdcm.StringFilter()
        words.SetFile(reader.GetFile())
        for name in ("study_uid", "series_uid", "sop_uid", "study_date", "birth_date", "age", "accession", "modality"):
            tag = attributes.TEXTS[name].tag
            assert words.ToString(gdcm.Tag(tag >> 16, tag & 0xFFFF)).strip(" \0") == header[name]
