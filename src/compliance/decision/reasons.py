"""Why a norm applies or not, and why no day can be given: one sentence each."""

from __future__ import annotations

from compliance.decision.apply import Looked
from compliance.decision.decide import Decision
from compliance.decision.judge import Evidence
from compliance.law.conditions import MAYBE, NO, YES, on_days
from compliance.law.dates import LAST, write_day

ONLY_GUIDANCE = "only guidance asks for it: no breach of law before its end"


def why(evidence: Evidence) -> str:
    """Say why a norm applies, perhaps applies, or does not."""
    looked, facts, _ = evidence
    if looked.in_scope == NO:
        return _why_not(evidence)
    if looked.overridden_by:
        names = ", ".join(looked.overridden_by)
        return f"displaced by {names}" if looked.applies == NO else f"perhaps displaced by {names}"
    if looked.applies == YES:
        return "all conditions hold" if looked.norm.scope.any_of else "applies to every study"
    reasons = [looked.norm.scope.why(facts)]
    if looked.place == MAYBE:
        reasons.append(f"only if the keeper is in {looked.norm.jurisdiction}")
    reasons += [version.scope.why(facts) for version in looked.norm.versions if version.scope.truth(facts) == MAYBE]
    reasons += [f"in force perhaps: from {v.since}" for v in looked.norm.versions if v.in_force(facts.as_of) == MAYBE]
    return "; ".join(dict.fromkeys(filter(None, reasons))) or "applies perhaps"


def _why_not(evidence: Evidence) -> str:
    looked, facts, told = evidence
    found = told.get(looked.norm.id)
    if found is None:
        found = looked.norm.scope.why(facts) or _no_version(evidence) or "reaches no copy of this kind"
        if not any(on_days(condition) for condition in looked.norm.conditions()):
            told[looked.norm.id] = found
    return found


def _no_version(evidence: Evidence) -> str:
    looked, facts, _ = evidence
    now = [version for version in looked.norm.versions if version.in_force(facts.as_of) != NO]
    if not now:
        return f"not in force before {write_day(looked.norm.versions[-1].since.earliest)}"
    if now[0].repealed and not now[0].scope.any_of:
        return f"repealed from {now[0].since}"
    return "; ".join(dict.fromkeys(filter(None, (version.scope.why(facts) for version in now))))


def why_open_ended(decision: Decision, binding: bool = False) -> str:
    """Say why an end of the range cannot be given."""
    if decision.problems:
        return "the facts contradict each other"
    if decision.notes:
        return "; ".join(decision.notes)
    if decision.permanent:
        return "the law says for ever"
    value = decision.binding if binding else decision.retain
    if value.earliest > LAST:
        return "the clock that counts has not started: an event that it runs from has not happened"
    floors = [evidence.looked for evidence in decision.norms.values() if evidence.looked.norm.kind == "floor"]
    gaps = [one for one in floors if one.norm.is_gap and one.applies != NO]
    if gaps:
        return "; ".join(one.norm.says for one in gaps)
    if not any(_covers(one) for one in floors):
        if value.latest < LAST:
            return ONLY_GUIDANCE
        return "no verified binding norm surely applies to these facts"
    open_ended = [
        one.norm.id for one in floors if one.applies != NO and one.range is not None and one.range.latest >= LAST
    ]
    return f"no end follows from {', '.join(open_ended[:3])}" if open_ended else "a part of the study is not covered"


def why_undetermined(decision: Decision) -> str:
    """Say why it is not known today whether the study may go, although perhaps it is known for a later day."""
    if decision.earliest_purge_date is None or decision.problems:
        return why_open_ended(decision)
    return ONLY_GUIDANCE if decision.binding.latest > LAST else "it depends on facts that are not known"


def _covers(one: Looked) -> bool:
    return one.norm.sure and one.norm.force == "binding" and one.in_scope == YES
