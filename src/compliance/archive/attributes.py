"""What the inventory wants of a header, and the few judgements that both readers of headers share.

Never names: patient and physician names are not touched.
"""

from __future__ import annotations

import functools
import re
from typing import Any, NamedTuple

Header = dict[str, Any]
MAX_TEXT = 128
CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class NotDicom(Exception):
    """The file is no DICOM Part-10 file."""


class Attribute(NamedTuple):
    """An attribute as PS3.6 registers it."""

    keyword: str
    tag: int
    vr: bytes


TEXTS = {
    "study_uid": Attribute("StudyInstanceUID", 0x0020000D, b"UI"),
    "series_uid": Attribute("SeriesInstanceUID", 0x0020000E, b"UI"),
    "sop_uid": Attribute("SOPInstanceUID", 0x00080018, b"UI"),
    "sop_class": Attribute("SOPClassUID", 0x00080016, b"UI"),
    "patient_id": Attribute("PatientID", 0x00100020, b"LO"),
    "issuer": Attribute("IssuerOfPatientID", 0x00100021, b"LO"),
    "accession": Attribute("AccessionNumber", 0x00080050, b"SH"),
    "study_date": Attribute("StudyDate", 0x00080020, b"DA"),
    "birth_date": Attribute("PatientBirthDate", 0x00100030, b"DA"),
    "age": Attribute("PatientAge", 0x00101010, b"AS"),
    "sex": Attribute("PatientSex", 0x00100040, b"CS"),
    "modality": Attribute("Modality", 0x00080060, b"CS"),
    "body_part": Attribute("BodyPartExamined", 0x00180015, b"CS"),
    "institution": Attribute("InstitutionName", 0x00080080, b"LO"),
    "station": Attribute("StationName", 0x00081010, b"SH"),
    "device_serial": Attribute("DeviceSerialNumber", 0x00181000, b"LO"),
    "slice_thickness": Attribute("SliceThickness", 0x00180050, b"DS"),
    "lossy": Attribute("LossyImageCompression", 0x00282110, b"CS"),
    "lossy_method": Attribute("LossyImageCompressionMethod", 0x00282114, b"CS"),
    "trial_protocol": Attribute("ClinicalTrialProtocolID", 0x00120020, b"LO"),
    "image_type": Attribute("ImageType", 0x00080008, b"CS"),
    "discharge_date": Attribute("DischargeDate", 0x00380030, b"DA"),
    "deidentified": Attribute("PatientIdentityRemoved", 0x00120062, b"CS"),
    "dates_modified": Attribute("LongitudinalTemporalInformationModified", 0x00280303, b"CS"),
    "quality_control": Attribute("QualityControlImage", 0x00280300, b"CS"),
}
CHARSET = Attribute("SpecificCharacterSet", 0x00080005, b"CS")
RATIO = Attribute("LossyImageCompressionRatio", 0x00282112, b"DS")
TITLE = Attribute("ConceptNameCodeSequence", 0x0040A043, b"SQ")
EQUIPMENT = Attribute("ContributingEquipmentSequence", 0x0018A001, b"SQ")
PURPOSE = Attribute("PurposeOfReferenceCodeSequence", 0x0040A170, b"SQ")
CODE_VALUE = Attribute("CodeValue", 0x00080100, b"SH")
CODE_SCHEME = Attribute("CodingSchemeDesignator", 0x00080102, b"SH")
MAKER = Attribute("Manufacturer", 0x00080070, b"LO")
MODEL = Attribute("ManufacturerModelName", 0x00081090, b"LO")

# SR documents, encapsulated documents, presentation states, waveforms, segmentations and registrations
_NO_IMAGES = tuple(f"1.2.840.10008.5.1.4.1.1.{group}." for group in (9, 11, 66, 88, 104))


@functools.lru_cache(maxsize=1024)
def is_image(sop_class: str) -> bool:
    """Tell whether a SOP class stores images (PS3.6 table A-1 names it so)."""
    if sop_class.startswith(_NO_IMAGES):
        return False
    from pydicom.uid import UID

    return "Image Storage" in UID(sop_class).name


def tidy(text: str) -> str:
    """Return a value as the inventory keeps it: no control characters, no space around, 128 characters at most."""
    if text.isascii() and text.isprintable():
        return text.strip()[:MAX_TEXT]
    return CONTROL.sub(" ", text.encode("utf-8", "replace").decode()).strip()[:MAX_TEXT]


def largest_ratio(text: str) -> float | None:
    """The largest of (0028,2112): successive compressions multiply, the last stands last."""
    numbers = []
    for word in text.split("\\"):
        try:
            numbers.append(float(word))
        except ValueError:
            continue
    return max((n for n in numbers if 0 < n < 100_000), default=None)


def equipment(lines: list[str]) -> str:
    """Return the contributing equipment, each line once."""
    return "; ".join(sorted(set(filter(None, lines))))[:MAX_TEXT]
