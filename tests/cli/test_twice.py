"""A fact that is given twice is refused, never silently the last one."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from compliance.cli.decide import decide_lines, purge_date
from compliance.errors import UsageError

LAWS = ["--laws", str(Path(__file__).parents[1] / "laws")]


def test_a_key_twice_in_a_line_is_an_error_in_its_place():
    lines = '{"id": 1, "as_of": "2026-11-24", "facts": {"modality": "CT", "modality": "MR"}}\n{"id": 2, "as_of": "2026-11-24", "facts": {"modality": "MR"}}\n'
    done = CliRunner().invoke(decide_lines, ["-", *LAWS], input=lines, standalone_mode=False)
    first, second = map(json.loads, done.stdout.splitlines())
    assert done.return_value == 2 and "'modality' stands twice" in first["error"]["message"] and second["disposition"]


def test_an_option_twice_is_refused_and_a_set_is_joined():
    given = ["--jurisdiction", "XA", "--facility-type", "hospital", "--study-date", "2012-05-01", "--as-of", "2026-11-24", "--format", "json", *LAWS]
    for more in (["--study-date", "2013-05-01"], ["--fact", "study_date=2013-05-01"], ["--fact", "inpatient=true", "--fact", "inpatient=false"]):
        refused = CliRunner().invoke(purge_date, [*given, *more], standalone_mode=False)
        assert isinstance(refused.exception, UsageError) and "given twice" in str(refused.exception)
    joined, commas = (CliRunner().invoke(purge_date, [*given, *more], standalone_mode=False).stdout for more in (["--modality", "CT", "--fact", "modality=MR"], ["--modality", "CT,MR"]))
    assert json.loads(joined) == json.loads(commas)
