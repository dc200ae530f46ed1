"""The careful reader: `structure` says whether a file is whole, pydicom decodes the values.

It takes whatever the quick walk leaves to it, at a twentieth of the speed.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from compliance.archive.attributes import (
    CODE_SCHEME,
    CODE_VALUE,
    CONTROL,
    EQUIPMENT,
    MAKER,
    MODEL,
    PURPOSE,
    RATIO,
    TEXTS,
    TITLE,
    Attribute,
    Header,
    NotDicom,
    equipment,
    is_image,
    largest_ratio,
    tidy,
)
from compliance.archive.structure import NO_PIXELS, Damaged, Syntax, check, inflate

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_DEFLATED = "1.2.840.10008.1.2.1.99"


def read_header(path: Path) -> Header:
    """Return the header; `remark` tells of cut pixel data.

    Raises NotDicom, Damaged (header cut short, wrong length, bad VR, no UIDs, nested or inflated beyond bounds), OSError.
    """
    with path.open("rb") as file:
        end = os.fstat(file.fileno()).st_size
        if end < 132:
            raise NotDicom("too short for a DICOM file" if end else "empty")
        preamble = file.read(132)
        if preamble[128:] != b"DICM":
            return _without_preamble(file, preamble, end)
        return _part10(file, end)


def _part10(file: BinaryIO, end: int) -> Header:
    from pydicom.filereader import _read_file_meta_info, read_partial

    meta_start = file.tell()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            meta = _read_file_meta_info(file)
            length, uid = meta.get("FileMetaInformationGroupLength"), str(meta.get("TransferSyntaxUID", ""))
            storage = str(meta.get("MediaStorageSOPClassUID", ""))
        except Exception as error:
            raise Damaged(f"the file meta information cannot be read: {_short(error)}") from None
        if length is not None and (not isinstance(length, int) or meta_start + 12 + length != file.tell()):
            raise Damaged("the length of the file meta information is wrong")
        if not uid:
            raise Damaged("no transfer syntax")
        if storage == "1.2.840.10008.1.3.10":
            raise NotDicom("a DICOMDIR")
        if uid == _DEFLATED:
            return _deflated(file, uid)
        little = uid != "1.2.840.10008.1.2.2"
        remark = check(file, end, Syntax(uid == "1.2.840.10008.1.2", little))
        file.seek(0)
        return _attributes(_guarded(lambda: read_partial(file, stop_when=_at_pixels)), uid, remark)


def _without_preamble(file: BinaryIO, start: bytes, end: int) -> Header:
    """Old files begin with the data set; only a sound chain of elements from group 0008 is taken for DICOM."""
    if start[:2] not in (b"\x08\x00", b"\x02\x00"):
        raise NotDicom("no DICM prefix")
    implicit = not start[4:6].isalpha()
    file.seek(0)
    if start[:2] == b"\x02\x00":
        raise Damaged("file meta information without a preamble")
    try:
        remark = check(file, end, Syntax(implicit, True))
    except Damaged as error:
        raise Damaged(f"no preamble, and {error}") from None
    from pydicom.filereader import read_dataset

    file.seek(0)
    data = _guarded(lambda: read_dataset(file, implicit, True, stop_when=_at_pixels))
    return _attributes(
        data,
        "1.2.840.10008.1.2" if implicit else "1.2.840.10008.1.2.1",
        "; ".join(filter(None, ("no preamble", remark))),
    )


def _deflated(file: BinaryIO, uid: str) -> Header:
    from pydicom.filereader import read_dataset

    raw = inflate(file.read())
    end = len(raw) - 1 if len(raw) % 2 and raw.endswith(b"\0") else len(raw)  # PS3.5 A.5: padded to even length
    plain = io.BytesIO(raw)
    remark = check(plain, end, Syntax(False, True))
    plain.seek(0)
    return _attributes(_guarded(lambda: read_dataset(plain, False, True, stop_when=_at_pixels)), uid, remark)


def _at_pixels(tag: Any, vr: str | None, length: int) -> bool:
    return int(tag) >= 0x7FE00008


def _guarded(read: Any) -> Dataset:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data: Dataset = read()
            return data
    except (RecursionError, MemoryError):
        raise Damaged("nested or sized beyond what can be read") from None
    except Exception as error:
        raise Damaged(f"cannot be read: {_short(error)}") from None


def _attributes(data: Mapping[str, Any] | Dataset, syntax: str, remark: str) -> Header:
    found: Header = {name: _text(data, attribute) for name, attribute in TEXTS.items()}
    missing = [word for word in ("study_uid", "series_uid", "sop_uid") if not found[word]]
    if missing:
        raise Damaged(f"no {' and no '.join(missing)}")
    if remark.endswith(NO_PIXELS) and not is_image(found["sop_class"]):
        remark = remark.removesuffix(NO_PIXELS).removesuffix("; ")
    elif remark.endswith(NO_PIXELS):
        raise Damaged("an image without pixel data: cut short, or stripped")
    found["transfer_syntax"] = syntax
    found["remark"] = remark
    found["lossy_ratio"] = largest_ratio(_text(data, RATIO))
    found["title_code"] = _code(data, TITLE)
    found["contributing_equipment"] = equipment([_maker(item) for item in list(_value(data, EQUIPMENT) or ())[:8]])
    return found


def _value(data: Any, attribute: Attribute) -> Any:
    try:
        return data.get(attribute.keyword)
    except Exception:  # a value that cannot be decoded is absent: the walk has shown that the file is whole
        return None


def _text(data: Any, attribute: Attribute) -> str:
    value = _value(data, attribute)
    if value is None:
        return ""
    items = value if isinstance(value, list | tuple) or type(value).__name__ == "MultiValue" else [value]
    return tidy("\\".join(str(item) for item in items))


def _code(data: Any, attribute: Attribute) -> str:
    sequence = list(_value(data, attribute) or ())
    return "/".join(filter(None, (_text(sequence[0], CODE_VALUE), _text(sequence[0], CODE_SCHEME)))) if sequence else ""


def _maker(item: Any) -> str:
    return " ".join(filter(None, (_code(item, PURPOSE), _text(item, MAKER), _text(item, MODEL))))


def _short(error: Exception) -> str:
    return CONTROL.sub(" ", f"{type(error).__name__}: {error}")[:160]
