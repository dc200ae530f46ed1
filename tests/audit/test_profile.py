"""A profile is read strictly: every fault is told at the line of the key that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from compliance.audit.profile import load_profile
from compliance.errors import ProfileError
from compliance.law.knowledge import load

LAWS = Path(__file__).parents[1] / "laws"
FAULTY = """name: A hospital
sites:
  - id: north
    match: {institution: "*"}
    keepers:
      - jurisdiction: XA
        facility_type: hospitl
  - id: south
    match: {institution: "*"}
    keepers:
      - jurisdiction: QQ
        facility_type: hospital
      - jurisdiction: XA
        facility_type: hospital
        facts:
          modaliti: CT
          death_date: soon
policies: [nowhere.yaml]
"""


def test_every_fault_stands_at_the_line_of_its_key(tmp_path):
    (tmp_path / "p.yaml").write_text(FAULTY)
    with pytest.raises(ProfileError) as found:
        load_profile(tmp_path / "p.yaml", load(LAWS, use_compiled=False))
    places = [(one.line, one.column, one.path.rpartition(".")[2]) for one in found.value.problems]
    assert places == [(7, 9, "facility_type"), (11, 9, "jurisdiction"), (16, 11, "modaliti"), (17, 11, "death_date"), (18, 12, "policies")]
    assert "Did you mean 'hospital'?" in str(found.value)
