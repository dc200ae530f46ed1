"""What a hold asks for and nothing can ever match: a misspelled code, a place or a site that is not on file.

Law files may ask for words of the future; a hold that matches nothing lets images go that somebody must keep.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from compliance.errors import Problem, guess, listed
from compliance.law.conditions import Condition, Listed, Not
from compliance.law.knowledge import KnowledgeBase, place_on_file
from compliance.law.scopes import Scope

# DICOM PS3.3 C.7.3.1.1.1, those in use and those retired, beside the modalities of the vocabulary
MODALITIES = frozenset((
    *("AR", "ASMT", "AU", "BI", "CFM", "CTPROTOCOL", "DG", "DMS", "EEG", "EMG", "EOG", "EPS", "HC", "HD", "IOL", "IVOCT", "KER", "LEN"),
    *("LS", "OAM", "OPM", "OPTBSV", "OPTENF", "OPV", "OSS", "PA", "PLAN", "POS", "RESP", "RTINTENT", "RTRAD", "RTSEGANN", "SRF"),
    *("STAIN", "TG", "VA", "XAPROTOCOL", "AS", "CD", "CF", "CP", "CS", "DD", "DF", "DM", "DS", "EC", "FA", "FS", "LP", "MA", "MS"),
    *("OPR", "ST", "VF"),
))  # fmt: skip


def never_matched(scope: Scope, knowledge: KnowledgeBase, sites: Collection[str] | None = None) -> Iterator[Problem]:
    """Yield what a scope asks for in vain; `sites` are those of the profile, None where there is none."""
    for condition in scope.conditions():
        inner: Condition = condition
        while isinstance(inner, Not):
            inner = inner.inner
        if isinstance(inner, Listed):
            for word in sorted(inner.values):
                if wrong := _wrong(inner.fact, word, knowledge, sites):
                    yield Problem("scope", 0, 0, inner.fact, wrong)


def _wrong(fact: str, word: str, knowledge: KnowledgeBase, sites: Collection[str] | None) -> str:
    kind = knowledge.vocabulary.facts[fact]
    if kind.type in ("place", "places"):
        return place_on_file(knowledge, word)
    if fact == "modality" and kind.values:
        allowed: Collection[str] = MODALITIES.union(kind.values)
        says = "no modality of DICOM"
    elif fact == "site" and sites is not None:
        allowed, says = sites, "no site of the profile"
    else:
        return ""
    return "" if word in allowed else f"{word!r} is {says}. Allowed: {listed(allowed, 60)}.{guess(word, allowed)}"
