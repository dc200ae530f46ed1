"""The decision is the explanation: sections of plain sentences, as text or Markdown; JSON is `contract.to_json`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from compliance.decision.decide import Decision
from compliance.decision.judge import Duty, Evidence
from compliance.decision.missing import Missing
from compliance.decision.reasons import why, why_open_ended, why_undetermined
from compliance.law.conditions import MAYBE, NO, YES
from compliance.law.dates import LAST, NEVER, OPEN, DateRange, write_day
from compliance.law.periods import Step, trace
from compliance.law.statutes import Norm

MAY_PURGE = "no retention norm on file, hold or policy known here forbids it on {day}"
DISCLAIMER = (
    "By no means authoritative: a computation from the law on file, on the facts stated; no warranty, not legal advice."
)


class Section(NamedTuple):
    """A heading and its lines; a line's depth is its indentation."""

    title: str
    lines: tuple[tuple[int, str], ...]


def sections(decision: Decision, missing: Sequence[Missing] = ()) -> tuple[Section, ...]:
    """Return the explanation, most important first; empty sections are left out."""
    found = [
        Section("Answer", tuple((0, line) for line in headline(decision))),
        Section(
            "Problems",
            tuple((0, f"{p.fact}: {p.message}") for p in decision.problems) + tuple((0, n) for n in decision.notes),
        ),
        Section("Governing", tuple(_governing(decision))),
        Section("Also in the balance", tuple(_others(decision))),
        Section("Destroy by", tuple(_kind(decision, "ceiling"))),
        Section("Before and after a purge", tuple((0, duty_line(duty)) for duty in decision.duties)),
        Section(
            "Holds", tuple((0, f"hold {hold.id} is in force: nothing may be destroyed") for hold in decision.holds)
        ),
        Section("Lossy compression", tuple(_lossy(decision))),
        Section("What is missing, and what it would change", tuple(_missing(missing))),
        Section("Does not apply", tuple(_not_applying(decision))),
        Section("Assumed", tuple((0, f"{a.fact} = {a.value} ({a.set}): {a.why}") for a in decision.assumed)),
        Section("Sources", tuple((0, source_line(norm)) for norm in _cited(decision))),
        Section(
            "Basis",
            (
                (0, f"law {decision.law_version}, {decision.law_digest}"),
                (0, f"valid on {write_day(decision.as_of)}; decide anew on the day of destruction"),
                (0, DISCLAIMER),
            ),
        ),
    ]
    return tuple(section for section in found if section.lines)


BY_GUIDANCE = "by guidance alone; binding law is not known"


def by_guidance(decision: Decision) -> bool:
    """Tell whether a day can be given, but not by binding law (rules 16 and 18 of laws/README.md)."""
    return decision.retain.latest < LAST <= decision.binding.latest


def headline(decision: Decision) -> list[str]:
    """Return the answer in one to three sentences; a day that guidance alone gives is not called lawful."""
    day, purge = write_day(decision.as_of), decision.earliest_purge_date
    answers = {
        "retain": f"Must be kept through {write_range(decision.retain)}.",
        "may_purge": f"May be purged: {MAY_PURGE.format(day=day)}.",
        "must_purge": f"Must be gone: it had to be destroyed by {_day(decision.destroy_by)}.",
        "held": "Held: a hold is in force, nothing may be destroyed.",
        "undetermined": _sentence(f"Undetermined on {day}: {why_undetermined(decision)}"),
        "conflict": f"Conflict: a floor (keep through {write_range(decision.retain)}) against a ceiling (destroy by {_day(decision.destroy_by)}). A person must decide.",
    }
    lines = [answers[decision.disposition]]
    if decision.disposition == "retain" and purge is None:
        lines[0] = _sentence(f"Must be kept: {why_open_ended(decision)}")
    if purge is not None:
        earliest = "Without the hold: earliest" if decision.disposition == "held" else "Earliest"
        what = f"purge date {BY_GUIDANCE}" if by_guidance(decision) else "lawful purge date"
        lines.append(f"{earliest} {what}: {purge.isoformat()}.")
    if decision.disposition in ("may_purge", "must_purge") and not decision.ready:
        lines.append("Not ready: a duty that must come first is open.")
    if decision.next_change:
        lines.append(f"The law changes on {write_day(decision.next_change.on)} ({decision.next_change.norm}).")
    return lines


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else f"{text}."


def _day(day: int | None) -> str:
    return "no day" if day is None else write_day(day)


def write_range(value: DateRange) -> str:
    """Write a result for people: a day, or between two days."""
    if value.exact:
        return "never (it has not happened)" if value.earliest == NEVER else write_day(value.earliest)
    if value.earliest == OPEN:
        return "any day" if value.latest >= LAST else f"at the latest {write_day(value.latest)}"
    return (
        f"{write_day(value.earliest)} or later"
        if value.latest >= LAST
        else f"{write_day(value.earliest)} to {write_day(value.latest)}"
    )


def _governing(decision: Decision) -> Iterable[tuple[int, str]]:
    norms = decision.norms
    for name in decision.governing:
        yield from _norm_lines(norms[name])


def _norm_lines(evidence: Evidence) -> Iterable[tuple[int, str]]:
    looked, norm = evidence.looked, evidence.looked.norm
    yield 0, f"{norm.citation} ({norm.id}, {norm.force}, {norm.verification.status})"
    yield 1, norm.says
    if norm.images == "construed":
        yield 1, "reaches images only by reading the word records"
    if looked.applies != YES:
        yield 1, f"applies perhaps: {why(evidence)}"
    for step in steps(evidence):
        yield from step_lines(step, 1)


def steps(evidence: Evidence) -> tuple[Step, ...]:
    """Return the computation of a norm's day, one tree for each version that may govern."""
    looked, facts, _ = evidence
    return tuple(trace(v.period, facts, looked.rounding) for v in looked.versions if v.period is not None)


def step_lines(step: Step, depth: int) -> Iterable[tuple[int, str]]:
    """Yield a computation as indented lines."""
    yield depth, f"{step.text}: {write_range(step.result)}"
    for below in step.steps:
        yield from step_lines(below, depth + 1)


def _others(decision: Decision) -> Iterable[tuple[int, str]]:
    for name, evidence in sorted(decision.norms.items()):
        looked = evidence.looked
        if (
            looked.norm.kind == "floor"
            and looked.applies != NO
            and name not in decision.governing
            and looked.range is not None
        ):
            doubt = f"; {why(evidence)}" if looked.applies == MAYBE else ""
            yield (
                0,
                f"{looked.norm.citation} ({name}, {looked.norm.force}): keep through {write_range(looked.range)}{doubt}",
            )


def _kind(decision: Decision, kind: str) -> Iterable[tuple[int, str]]:
    for name, evidence in sorted(decision.norms.items()):
        looked = evidence.looked
        if looked.norm.kind == kind and looked.applies != NO and looked.range is not None:
            counted = looked.norm.sure and looked.norm.force == "binding" and looked.applies == YES
            yield (
                0,
                f"{looked.norm.citation} ({name}): {write_range(looked.range)}{'' if counted else '; reported, not acted on'}",
            )


def duty_line(duty: Duty) -> str:
    """Return one duty in a sentence."""
    version, norm = duty.version, duty.norm
    what = " ".join(filter(None, (version.duty, version.what, f"to {version.who}" if version.who else "")))
    when = f", {version.lead} before" if version.lead else ""
    keep = f", kept {version.period}" if version.period is not None else ""
    state = "done" if duty.done else "open" if duty.applies == YES else "open if it applies"
    return f"{what}{when}{keep} [{state}]: {norm.says} ({norm.citation})"


def _lossy(decision: Decision) -> Iterable[tuple[int, str]]:
    lossy = decision.lossy
    ratio = f", at most {lossy.max_ratio:g} to 1" if lossy.max_ratio is not None else ""
    words = {
        "allowed_from": f"allowed from {_day(lossy.allowed_from)}{ratio}",
        "forbidden": "forbidden",
        "undetermined": f"undetermined{ratio}",
        "no_norm": "no norm on file, which is not permission",
    }
    yield 0, f"{words[lossy.status]}{' (' + ', '.join(lossy.norms) + ')' if lossy.norms else ''}"


def _missing(missing: Sequence[Missing]) -> Iterable[tuple[int, str]]:
    for one in missing:
        yield 0, one.fact + ("" if one.effect else " (alone it would not settle the date)")
        for effect in one.effect:
            yield (
                1,
                f"{condition_words(one.fact, effect.condition)}: {_may_go(effect.earliest_purge_date, effect.varies)}",
            )


def condition_words(fact: str, condition: str) -> str:
    """Return `<= 2000-05-03` in words (`born on or before ...`)."""
    verb = "born" if fact == "birth_date" else ""
    words = (
        condition.replace("<=", "on or before")
        .replace(">=", "on or after")
        .replace("> ", "after ")
        .replace("< ", "before ")
    )
    return f"{verb} {words}".strip()


def _may_go(day: date | None, varies: bool) -> str:
    if day is None:
        return "still no day"
    return f"may be purged from {day.isoformat()}{' or earlier, depending on the day' if varies else ''}"


def _not_applying(decision: Decision) -> Iterable[tuple[int, str]]:
    for name, evidence in sorted(decision.norms.items()):
        if evidence.looked.applies == NO and evidence.looked.norm.kind == "floor" and not evidence.looked.norm.is_gap:
            yield 0, f"{evidence.looked.norm.citation} ({name}): {why(evidence)}"


def _cited(decision: Decision) -> list[Norm]:
    return [
        e.looked.norm for _, e in sorted(decision.norms.items()) if e.looked.applies != NO and not e.looked.norm.is_gap
    ]


def source_line(norm: Norm) -> str:
    """Return a norm's citation with what was seen of it."""
    seen = norm.verification
    when = f" on {seen.on}" if seen.on else ""
    links = f" {' '.join(seen.source)}" if seen.source else ""
    return f"{norm.citation}: {seen.status}{when}{links}{' – ' + seen.note if seen.note else ''}"


def text(decision: Decision, missing: Sequence[Missing] = ()) -> str:
    """Return the explanation as plain text."""
    parts = []
    for section in sections(decision, missing):
        parts.append(section.title)
        parts += ["  " + "  " * depth + line for depth, line in section.lines]
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def markdown(decision: Decision, missing: Sequence[Missing] = ()) -> str:
    """Return the explanation as Markdown."""
    parts = []
    for section in sections(decision, missing):
        parts += [f"## {section.title}", ""]
        parts += ["  " * depth + "- " + _escaped(line) for depth, line in section.lines]
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def _escaped(line: str) -> str:
    return line.replace("<", "&lt;").replace("*", r"\*").replace("_", r"\_").replace("|", r"\|")
