"""A decision as a tree for pages: the study, its record classes, the norms in the balance, the steps of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from compliance.decision.assume import Assumed
from compliance.decision.decide import Decision, Part
from compliance.decision.explain import Section, sections, steps, write_range
from compliance.decision.judge import Evidence
from compliance.decision.missing import Missing
from compliance.decision.reasons import why
from compliance.law.conditions import NO, YES
from compliance.law.periods import Step
from compliance.law.statutes import Norm
from compliance.service.web import timelines
from compliance.service.web.grounds import answer_lines, assumed_line

DRAWN = ("Answer", "Governing", "Also in the balance")  # sections that the tree says already


@dataclass(frozen=True)
class Branch:
    """One step: words, the day or range it gives, whether it decides, a norm where it is one, the steps below."""

    text: str
    result: str = ""
    decides: bool = False
    doubt: str = ""
    norm: Norm | None = None
    below: tuple[Branch, ...] = ()


def view(
    decision: Decision, missing: Sequence[Missing] = (), bearing: Sequence[Assumed] | None = None
) -> dict[str, Any]:
    """Return what the template of a decision shows; `bearing`: the assumptions that decide, None where nobody asked."""
    kept: list[Section] = [one for one in sections(decision, missing) if one.title not in DRAWN]
    return {
        "decision": decision,
        "headline": answer_lines(decision),
        "bearing": None if bearing is None else [assumed_line(one) for one in bearing],
        "tree": tree(decision),
        "sections": kept,
        "timeline": timelines.of_decision(decision),
    }


def tree(decision: Decision) -> Branch:
    """Return the explanation of a decision as one tree."""
    return Branch(
        "the study", write_range(decision.retain), True, below=tuple(_part(part, decision) for part in decision.parts)
    )


def _part(part: Part, decision: Decision) -> Branch:
    full = part.result.fold.full
    where = f" in {part.keeper.code}" if part.keeper.code and len(decision.keepers) > 1 else ""
    floors = [
        _norm(evidence, name == part.governing)
        for name, evidence in sorted(part.keeper.norms.items(), key=lambda item: (item[0] != part.governing, item[0]))
        if evidence.looked.norm.kind == "floor" and evidence.looked.applies != NO
    ]
    decides = full.latest == decision.retain.latest
    return Branch(
        f"{part.result.record or 'any record'}{where}: the latest of", write_range(full), decides, below=tuple(floors)
    )


def _norm(evidence: Evidence, governs: bool) -> Branch:
    looked = evidence.looked
    result = write_range(looked.range) if looked.range is not None else ""
    doubt = "" if looked.applies == YES else f"applies perhaps: {why(evidence)}"
    below = tuple(_step(step, True) for step in steps(evidence))
    return Branch(looked.norm.says, result, governs, doubt, looked.norm, below)


def _step(step: Step, decides: bool) -> Branch:
    chosen = [below.result.latest == step.result.latest for below in step.steps]
    return Branch(
        step.text, write_range(step.result), decides,
        below=tuple(_step(below, decides and mine) for below, mine in zip(step.steps, chosen, strict=True)),
    )  # fmt: skip
