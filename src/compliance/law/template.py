"""The commented file that `compliance laws new` starts from."""

from __future__ import annotations

import re
import unicodedata
from datetime import date


def slug(citation: str) -> str:
    """Return a file name for a citation: `22 CCR § 70751` -> `22-ccr-70751`."""
    plain = unicodedata.normalize("NFKD", citation).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "instrument"


def template(place: str, citation: str, today: date) -> str:
    """Return the text of a new law file; it reads, and its check names what is still to be filled in."""
    quoted = citation.replace('"', "'")
    return f"""\
# yaml-language-server: $schema=../schema.json
jurisdiction: "{place}"                  # = the folder; always quoted
title: title in the original language
title_en: title in English               # leave out where the original is English
citation: "{quoted}"
url: https://                            # where the text is found
force: binding                           # binding | guidance | contract | policy

norms:
  - id: records                          # unique in this file, never reused
    kind: floor                          # floor (keep at least) | ceiling (destroy by) | lossy | duty
    citation: "{quoted}, paragraph"
    says: The rule in our own words.
    images: construed                    # express | construed (covers images only by reading "records")
    scope:                               # all must hold; leave out what the law does not ask
      record: [image, report, record]
      facility_type: [hospital]
    versions:                            # newest first
      - from: ../{today.isoformat()}             # ../D: in force on D, the exact start is not known
        period: 7 years after discharge_date
        # period:
        #   latest:
        #     - 7 years after discharge_date
        #     - 1 year after age of majority  # no day where the age in jurisdictions.yaml is unverified
    verification:
      status: unverified                 # unverified | secondary | verified | reviewed
      note: what exactly was seen, and what was not

cases:                                   # each floor and ceiling at its edges: adult, child, day before majority, death
  - name: adult
    as_of: {today.isoformat()}
    given: {{facility_type: hospital, record: image, modality: CT, birth_date: 1960-01-01, study_date: 2012-05-01, discharge_date: 2012-05-03}}
    retain_through: unknown              # an unverified norm holds back and frees nothing; a sure one gives a day
"""
