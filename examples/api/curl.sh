#!/usr/bin/env bash
# The purge-date API from the shell. Start `compliance serve` first; with a key: AUTH="Authorization: Bearer ick_..."
set -euo pipefail
URL="${COMPLIANCE_URL:-http://127.0.0.1:8000}"
AUTH="${AUTH:-X-No-Key: none}"
call() { curl --silent --show-error --fail-with-body --header "$AUTH" "$@"; echo; }

# From which day may this study be purged, and under which norm? Identifiable facts go in the body.
call "$URL/v1/decisions?assume=practical" --json '{
  "id": "study-1",
  "facts": {"jurisdiction": "US-CA", "facility_type": "hospital", "record": "image", "modality": "CT",
            "birth_date": "2010-02-10", "study_date": "2012-05-01"}}'

# The same for people.
call "$URL/v1/explain?assume=practical" --header 'Accept: text/plain' --json '{
  "facts": {"jurisdiction": "US-CA", "facility_type": "hospital", "modality": "CT", "study_date": "2012-05-01"}}'

# Anonymous facts may stand in the address: a year of birth, no day.
call "$URL/v1/purge-date?jurisdiction=US-CA&facility_type=hospital&modality=CT&study_date=2012-05-01&birth_date=2010&assume=practical"

# Many studies: one question a line in, one answer a line out, while you send.
printf '%s\n' '{"id": 1, "facts": {"jurisdiction": "US-CA", "study_date": "2012-05-01"}}' \
              '{"id": 2, "facts": {"jurisdiction": "DE", "study_date": "2001-05-01"}}' |
  call "$URL/v1/decisions?detail=brief" --header 'Content-Type: application/x-ndjson' --data-binary @-
