"""Part-10 files made from a seed: seven transfer syntaxes, about 170 elements, a private block, sequences, charsets."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.sequence import Sequence

IMPLICIT, EXPLICIT, DEFLATED, BIG = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
)
SYNTAXES = (
    IMPLICIT,
    EXPLICIT,
    DEFLATED,
    BIG,
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.5",
)
CT, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
ROOT = "1.2.826.0.1.3680043.8.498."
CHARSETS: tuple[tuple[str | list[str], str, str], ...] = (
    ("ISO_IR 100", "Müller^Jürgen", "Universitätsklinikum Köln"),
    ("", "Doe^Jane", "General Hospital"),
    ("ISO_IR 192", "Ångström^Åsa", "Žilina nemocnica"),
    ("ISO_IR 144", "Люкceмбypг", "Городская больница"),
    (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう", "山田病院"),
    (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동", "서울병원"),
    ("GB18030", "Wang^XiaoDong=王^小东", "北京医院"),
)
NUMBERS = ("KVP", "DataCollectionDiameter", "ReconstructionDiameter", "DistanceSourceToDetector", "DistanceSourceToPatient", "GantryDetectorTilt",
           "TableHeight", "SingleCollimationWidth", "TotalCollimationWidth", "TableSpeed", "TableFeedPerRotation", "SpiralPitchFactor",
           "PatientSize", "PatientWeight", "RepetitionTime", "EchoTime", "MagneticFieldStrength", "FlipAngle", "SAR", "PixelBandwidth",
           "InversionTime", "NumberOfAverages", "ImagingFrequency", "RescaleIntercept", "RescaleSlope", "SpacingBetweenSlices")  # fmt: skip
WORDS = ("StudyID", "StudyDescription", "SeriesDescription", "ManufacturerModelName", "ProtocolName", "ConvolutionKernel", "SoftwareVersions",
         "PatientComments", "AdmissionID", "RequestedProcedureDescription", "PerformedProcedureStepID", "PerformedProcedureStepDescription",
         "RequestedProcedureID", "ScheduledProcedureStepID", "InstitutionalDepartmentName", "InstitutionAddress", "FilterType",
         "TypeOfFilters", "AdditionalPatientHistory", "Occupation", "ImageComments", "SequenceName", "ScanningSequence", "SequenceVariant",
         "ContrastBolusAgent", "CountryOfResidence", "MedicalAlerts", "DeviceSerialNumber", "StationName", "ReferringPhysicianName", "OperatorsName", "PerformingPhysicianName")  # fmt: skip
DAYS = (
    "StudyDate",
    "SeriesDate",
    "AcquisitionDate",
    "ContentDate",
    "InstanceCreationDate",
    "PerformedProcedureStepStartDate",
)
TIMES = (
    "StudyTime",
    "SeriesTime",
    "AcquisitionTime",
    "ContentTime",
    "InstanceCreationTime",
    "PerformedProcedureStepStartTime",
)
INTS = (
    "SeriesNumber",
    "AcquisitionNumber",
    "ExposureTime",
    "XRayTubeCurrent",
    "Exposure",
    "GeneratorPower",
    "EchoNumbers",
    "EchoTrainLength",
)


def code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def series(rng: random.Random, number: int) -> Dataset:
    """Return what the instances of one series share."""
    data = Dataset()
    charset, name, place = CHARSETS[number % len(CHARSETS)]
    if charset:
        data.SpecificCharacterSet = charset
    ct = number % 3 > 0
    data.SOPClassUID, data.Modality = (CT, "CT") if ct else (MR, "MR")
    data.PatientName, data.InstitutionName = name, place
    data.PatientID, data.IssuerOfPatientID = f"P{rng.randrange(10**6):06}", rng.choice(["HOSP", "", "RIS-A"])
    data.StudyInstanceUID, data.SeriesInstanceUID = (
        f"{ROOT}{number // 3}.{rng.randrange(10**9)}",
        f"{ROOT}{number}.{rng.randrange(10**12)}",
    )
    data.FrameOfReferenceUID, data.AccessionNumber = f"{ROOT}9.{rng.randrange(10**9)}", f"A{rng.randrange(10**8)}"
    data.PatientBirthDate, data.PatientSex, data.PatientAge = (
        f"19{rng.randrange(30, 99)}0{rng.randrange(1, 9)}15",
        rng.choice("FMO"),
        f"0{rng.randrange(10, 99)}Y",
    )
    for word in WORDS:
        setattr(data, word, "".join(rng.choices("ABCDEFGH KMNRST", k=rng.randrange(2, 16))))
    for word in NUMBERS:
        number_text = f"{rng.uniform(0, 500):.{rng.randrange(1, 6)}f}"
        setattr(data, word, float(number_text) if dictionary_VR(word) == "FD" else number_text)
    for word in DAYS:
        setattr(data, word, f"20{rng.randrange(10, 25)}0{rng.randrange(1, 9)}11")
    for word in INTS:
        setattr(data, word, str(rng.randrange(1, 2000)))
    data.Manufacturer, data.BodyPartExamined, data.SliceThickness = (
        rng.choice(["SIEMENS", "GE MEDICAL SYSTEMS"]),
        rng.choice(["HEAD", "CHEST", ""]),
        "1.25",
    )
    data.PatientPosition, data.RotationDirection, data.ScanOptions = "HFS", "CW", "HELICAL MODE"
    data.ImageType, data.PixelSpacing = ["ORIGINAL", "PRIMARY", "AXIAL"], ["0.703125", "0.703125"]
    data.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    data.RequestedProcedureCodeSequence = Sequence([code("24627-2", "LN", "CT CHEST")])
    data.ProcedureCodeSequence = Sequence([code("P5-0801A", "SRT", "CT of chest")])
    data.ReferencedStudySequence = Sequence([reference(rng)])
    data.ReferencedImageSequence = Sequence([reference(rng) for _ in range(3)])
    request = Dataset()
    request.ScheduledProcedureStepDescription, request.RequestedProcedureID = "routine", "R1"
    request.ScheduledProtocolCodeSequence = Sequence([code("1", "99X", "protocol")])
    data.RequestAttributesSequence = Sequence([request])
    data.RequestAttributesSequence.is_undefined_length = True
    request.is_undefined_length_sequence_item = number % 2 > 0
    if number % 4 == 0:
        data.ContributingEquipmentSequence = Sequence(
            [equipment("109103", "Acme", "PACS 1"), equipment("109102", place, "X")]
        )
        data.ContributingEquipmentSequence.is_undefined_length = number % 8 == 0
    block = data.private_block(0x0029, "SEED CSA HEADER", create=True)
    block.add_new(0x08, "CS", "IMAGE NUM 4")
    block.add_new(0x10, "OB", rng.randbytes(1024))
    for place_in_block in range(0x20, 0x2C):
        block.add_new(place_in_block, "LO", f"private {place_in_block}")
    inner = Dataset()
    inner.add_new(0x00291010, "LO", "inner")
    block.add_new(0x30, "SQ", Sequence([inner]))
    return data


def reference(rng: random.Random) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CT, f"{ROOT}7.{rng.randrange(10**9)}"
    return item


def equipment(purpose: str, maker: str, model: str) -> Dataset:
    item = Dataset()
    item.Manufacturer, item.ManufacturerModelName = maker, model
    item.PurposeOfReferenceCodeSequence = Sequence([code(purpose, "DCM", "Modifying Equipment")])
    return item


def vary(data: Dataset, rng: random.Random, number: int) -> None:
    """Set what differs between the instances of a series."""
    data.SOPInstanceUID = f"{data.SeriesInstanceUID}.{number}.{rng.randrange(10 ** rng.randrange(3, 9))}"
    data.InstanceNumber = str(number)
    for word in TIMES:
        setattr(
            data, word, f"{rng.randrange(24):02}{rng.randrange(60):02}{rng.randrange(60):02}.{rng.randrange(10**6):06}"
        )
    data.ImagePositionPatient = ["-180.0", "-180.0", f"{-300 + 1.25 * number:.2f}"]
    data.SliceLocation = f"{1.25 * number:.2f}"
    data.WindowCenter, data.WindowWidth = str(rng.randrange(10, 900)), str(rng.randrange(100, 2000))
    data.SamplesPerPixel, data.PhotometricInterpretation, data.Rows, data.Columns = 1, "MONOCHROME2", 256, 256
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.SmallestImagePixelValue, data.LargestImagePixelValue = 0, 4095


def encoded(data: Dataset, syntax: str, pixels: bytes) -> bytes:
    """Return the whole file of a data set."""
    lossy = syntax in SYNTAXES[4:6]
    data.LossyImageCompression = "01" if lossy else "00"
    if lossy:
        data.LossyImageCompressionRatio, data.LossyImageCompressionMethod = "10.5", "ISO_10918_1"
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = data.SOPClassUID, data.SOPInstanceUID
    meta.TransferSyntaxUID, meta.ImplementationClassUID, meta.ImplementationVersionName = syntax, f"{ROOT}1", "SEED_1"
    head, body = DicomIO(BytesIO()), DicomIO(BytesIO())
    head.is_little_endian, head.is_implicit_VR = True, False
    write_file_meta_info(head, meta)
    body.is_little_endian, body.is_implicit_VR = syntax != BIG, syntax == IMPLICIT
    write_dataset(body, data)
    plain = body.parent.getvalue() + _pixel_element(syntax, pixels)
    if syntax == DEFLATED:
        squeeze = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        plain = squeeze.compress(plain) + squeeze.flush()
        plain += b"\0" * (len(plain) % 2)
    return bytes(128) + b"DICM" + head.parent.getvalue() + plain


def _pixel_element(syntax: str, pixels: bytes) -> bytes:
    if syntax == IMPLICIT:
        return struct.pack("<HHL", 0x7FE0, 0x0010, len(pixels)) + pixels
    if syntax in (EXPLICIT, DEFLATED):
        return struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OW", 0, len(pixels)) + pixels
    if syntax == BIG:
        return struct.pack(">HH2sHL", 0x7FE0, 0x0010, b"OW", 0, len(pixels)) + pixels
    item = struct.Struct("<HHL")
    return (struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF) + item.pack(0xFFFE, 0xE000, 0)
            + item.pack(0xFFFE, 0xE000, len(pixels)) + pixels + item.pack(0xFFFE, 0xE0DD, 0))  # fmt: skip


def syntax(number: int, per_series: int = 50) -> str:
    """Return the transfer syntax of a file; the syntaxes follow each other out of step with the charsets."""
    return SYNTAXES[(number // per_series * 3 + number // (per_series * 7)) % 7]


def files(count: int, seed: int = 1, pixels: int = 131_072, per_series: int = 50) -> Iterator[bytes]:
    """Yield whole files; every series has one transfer syntax and one character set."""
    rng = random.Random(seed)
    noise = rng.randbytes(pixels)
    for number in range(count):
        if number % per_series == 0:
            shared = series(rng, number // per_series)
        vary(shared, rng, number % per_series + 1)
        yield encoded(shared, syntax(number, per_series), noise)


def archive(folder: Path, count: int, seed: int = 1, pixels: int = 131_072) -> Path:
    """Write a generated archive, a folder each series."""
    for number, content in enumerate(files(count, seed, pixels)):
        place = folder / f"{number // 1000:03}" / f"{number // 50:05}"
        if number % 50 == 0:
            place.mkdir(parents=True, exist_ok=True)
        (place / f"IM{number:06}.dcm").write_bytes(content)
    return folder
