"""A body of the wrong shape is answered with the place, the fault, what is allowed and a guess."""

from __future__ import annotations

import msgspec
import pytest

from compliance.service import wire
from compliance.service.problems import Refusal
from compliance.service.serving import decoded


def refused(body: object, kind: type) -> str:
    with pytest.raises(Refusal) as refusal:
        decoded(msgspec.json.encode(body), kind)
    return refusal.value.detail


def test_a_misspelt_word_is_told_with_those_allowed():
    said = refused({"facts": {}, "reason": "retntion", "copies_left": 0}, wire.Guard)
    assert said == (
        "Invalid enum value 'retntion' - at `$.reason`. Allowed: duplicate, merged, moved, rejected, request, retention, "
        "wrong_patient. Did you mean 'retention'?"
    )


def test_a_misspelt_field_is_told_with_those_allowed():
    said = refused({"facts": {}, "reason": "retention", "copis_left": 0}, wire.Guard)
    assert said.endswith("Allowed: copies_left, facts, id, level, reason. Did you mean 'copies_left'?")
    assert "`asof`" in refused([{"facts": {}, "asof": "x"}], list[wire.Ask]) and "Did you mean 'as_of'?" in refused(
        [{"facts": {}, "asof": "x"}], list[wire.Ask]
    )


def test_a_word_in_a_list_is_told_too():
    assert "Allowed: hold.created" in refused({"url": "https://x.example", "events": ["hold.made"]}, wire.NewWebhook)


def test_other_faults_are_told_as_they_are():
    assert refused({"reason": "retention", "copies_left": 0}, wire.Guard) == "Object missing required field `facts`"
