"""Holds match whatever the spelling, and none is put in force that can match nothing."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from service.serving import JSON, OLD, client_of

ARROW = {"content-type": "application/vnd.apache.arrow.stream"}


def _held(api, facts) -> tuple[bool, bool, bool, bool]:
    """Whether it is held: one by one, in a list, in an Arrow stream, by the guard."""
    ask = {"facts": facts}
    one = api.post("/v1/decisions", json=ask).json()["disposition"] == "held"
    many = {brief["held"] for brief in api.post("/v1/decisions?detail=brief", json=[ask] * 20).json()}
    column = {name: [value] for name, value in facts.items() if not name.endswith("_date")}
    batch = pa.RecordBatch.from_pydict(column)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    answer = api.post("/v1/decisions", content=sink.getvalue().to_pybytes(), headers=ARROW)
    assert answer.status_code == 200, answer.text
    (stream,) = pa.ipc.open_stream(answer.content).read_all().column("held").to_pylist()
    guard = api.post("/v1/guard", content=json.dumps({"facts": facts, "reason": "request", "copies_left": 0}), headers=JSON)
    return one, many == {True}, stream, bool(guard.json()["holds"])


ALIKE = [
    ({"modality": ["ct"]}, {"modality": "CT"}),
    ({"modality": ["CT"]}, {"modality": "ct"}),
    ({"modality": ["CT"]}, {"modality": " Ct "}),
    ({"modality": ["CT"]}, {"modality": ["MR", "ct"]}),
    ({"modality": ["CT"]}, {"modality": "Unknown"}),
    ({"modality": ["CT"]}, {"modality": ["MR", "UNKNOWN"]}),
    ({"facility_type": ["Hospital"]}, {"facility_type": "HOSPITAL"}),
    ({"body_part": ["knee"]}, {"body_part": ["KNEE"]}),
    ({"patient_key": ["Zo\u00eb 1"]}, {"patient_key": "Zoe\u0308 1 "}),
    ({"study_uid": ["1.2.3 "]}, {"study_uid": "1.2.3"}),
    ({"patient_key": ["P1"]}, {"patient_key": "UNKNOWN"}),
    ({"institution": ["Cli\u0301nica"]}, {"institution": " Cl\u00ednica"}),
]


@pytest.mark.parametrize(("scope", "facts"), ALIKE)
def test_a_hold_matches_whatever_the_spelling(api, scope, facts):
    assert api.post("/v1/holds", json={"id": "m1", "scope": scope, "issued_by": "Legal"}).status_code == 201
    assert _held(api, {**OLD, **facts}) == (True, True, True, True)


def test_another_value_is_not_held(api):
    api.post("/v1/holds", json={"id": "m1", "scope": {"modality": ["CT"]}, "issued_by": "Legal"})
    assert _held(api, OLD) == (False, False, False, False)


@pytest.mark.parametrize(
    ("scope", "says"),
    [
        ({"modality": ["CTT"]}, "no modality of DICOM"), ({"modality": ["CTT"]}, "Did you mean 'CT'?"),
        ({"facility_type": ["hospitl"]}, "Did you mean 'hospital'?"), ({"jurisdiction": ["xa"]}, "Did you mean 'XA'?"),
        ({"jurisdiction": ["QQ"]}, "no law on file"), ({"modality": ["unknown"]}, "nothing a scope can ask for"), ({"modality": [" "]}, "blank"),
    ],
)  # fmt: skip
def test_a_hold_that_matches_nothing_is_refused_with_a_guess(api, scope, says):
    refused = api.post("/v1/holds", json={"id": "m1", "scope": scope, "issued_by": "Legal"})
    assert refused.status_code == 422 and says in refused.text.replace("\\u0027", "'")
    assert api.get("/v1/holds").json() == []


def test_codes_of_dicom_beyond_the_vocabulary_can_be_held(api):
    assert api.post("/v1/holds", json={"id": "m1", "scope": {"modality": ["eeg"]}, "issued_by": "Legal"}).status_code == 201
    assert _held(api, {**OLD, "modality": "EEG"}) == (True, True, True, True)


PROFILE = """
name: A hospital
sites:
  - id: north
    match: {institution: "*"}
    keepers: [{jurisdiction: XA, facility_type: hospital}]
"""


def test_a_site_is_one_of_the_profile(store, tmp_path):
    (tmp_path / "profile.yaml").write_text(PROFILE)
    with client_of(store, profile=tmp_path / "profile.yaml") as api:
        refused = api.post("/v1/holds", json={"id": "m1", "scope": {"site": ["nort"]}, "issued_by": "Legal"})
        assert refused.status_code == 422 and "Did you mean 'north'?" in refused.text
        assert api.post("/v1/holds", json={"id": "m1", "scope": {"site": ["north"]}, "issued_by": "Legal"}).status_code == 201


def test_an_arrow_stream_tells_the_empty_set_from_what_is_not_known(api):
    api.post("/v1/holds", json={"id": "m1", "scope": {"special_class": ["cancer"]}, "issued_by": "Legal"})
    sets = [[], ["cancer"], ["transplant"], None, ["Cancer", "transplant"], [None]]
    batch = pa.RecordBatch.from_pydict({"jurisdiction": pa.array([["XA"]] * 6), "special_class": pa.array(sets, pa.list_(pa.string()))})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    answer = api.post("/v1/decisions", content=sink.getvalue().to_pybytes(), headers=ARROW)
    held = pa.ipc.open_stream(answer.content).read_all().column("held").to_pylist()
    assert held == [False, True, False, True, True, True]
    facts = [{"jurisdiction": "XA", "special_class": one} for one in sets[:3]]
    assert [api.post("/v1/decisions", json={"facts": one}).json()["disposition"] == "held" for one in facts] == held[:3]
