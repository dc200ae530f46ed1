"""Before an archive deletes a study, it asks. Anything but a clear yes means that the study is kept."""

import os
import sys

from compliance.client import Client
from compliance.errors import ComplianceError

STUDY = {
    "jurisdiction": "US-CA", "facility_type": "hospital", "record": "image", "modality": ["CT"],
    "birth_date": "2010-02-10", "study_date": "2012-05-01",
}  # fmt: skip


def may_be_deleted(facts: dict[str, object]) -> bool:
    """Return whether the study may go now, for retention, with no copy left."""
    with Client(os.environ.get("COMPLIANCE_URL", "http://127.0.0.1:8000"), os.environ.get("COMPLIANCE_API_KEY")) as api:
        try:
            verdict = api.guard(facts, reason="retention", copies_left=0)
        except ComplianceError as error:
            print(f"kept: {error}", file=sys.stderr)
            return False
    print(f"{'may go' if verdict.allowed else 'kept'}: {verdict.because} ({verdict.citation})")
    return verdict.allowed


if __name__ == "__main__":
    may_be_deleted(STUDY)
