"""The contract is frozen: docs/api is fresh, and within a version nothing goes away."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest

from compliance.service import frozen

DOCS = Path(__file__).parents[2] / "docs/api"


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return frozen.files()


@pytest.mark.parametrize("name", ["openapi.json", "types.ts"])
def test_what_is_on_file_is_fresh(made, name):
    assert (DOCS / name).read_text() == made[name], "run `make types`"


def test_a_new_field_of_an_answer_breaks_nobody(made):
    old = json.loads(made["openapi.json"])
    new = copy.deepcopy(old)
    new["components"]["schemas"]["Decision"]["properties"]["more"] = {"type": "string"}
    new["paths"]["/v1/more"] = {}
    assert list(frozen.broken(old, new)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d["paths"].pop("/v1/guard"), "POST /v1/guard is gone"),
        (lambda d: d["components"]["schemas"]["Decision"]["properties"].pop("ready"), "Decision.ready is gone"),
        (lambda d: d["components"]["schemas"]["Verdict"]["required"].remove("allowed"), "Verdict.allowed is no longer always there"),
        (lambda d: d["components"]["schemas"]["NewHold"]["required"].append("matter"), "NewHold.matter is now required"),
        (lambda d: d["components"]["schemas"]["Decision"]["properties"]["disposition"]["enum"].remove("held"), "Decision.disposition has lost a value"),
        (lambda d: d["components"]["schemas"]["Brief"]["properties"]["ready"].update(type="string"), "Brief.ready is of another type"),
    ],
)
def test_what_would_break_callers_is_told(made, change, said):
    old = json.loads(made["openapi.json"])
    new = copy.deepcopy(old)
    change(new)
    assert said in list(frozen.broken(old, new))


def test_the_document_is_openapi_3_1(made):
    from jsonschema import Draft202012Validator

    document = json.loads(made["openapi.json"])
    assert document["openapi"] == "3.1.0"
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert schema.get("description") or name in ("StudyFacts", "KeeperFacts"), name


def test_the_client_imports_no_server():
    seen = subprocess.run(
        [sys.executable, "-c", "import sys, compliance.client; print([m for m in ('fastapi', 'sqlmodel', 'pyarrow', 'numpy') if m in sys.modules])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert seen.stdout.strip() == "[]"
