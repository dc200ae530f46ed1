"""Check: strict reading, lint, and the cases that law files carry (rule 33 of laws/README.md), every problem at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from compliance.decision.decide import Decision, decide
from compliance.errors import ComplianceError, Problem, UsageError
from compliance.law.case import Case
from compliance.law.conditions import NO
from compliance.law.dates import LAST, OPEN, DateRange, read_edtf, write_day, write_edtf
from compliance.law.knowledge import KnowledgeBase, read_all
from compliance.law.lint import lint, uncounted, unresearched
from compliance.law.sources import shipped, sources_of
from compliance.law.statutes import Statute


@dataclass(frozen=True)
class Checked:
    """What a check found: problems by place, and how many files, norms and cases were looked at."""

    problems: tuple[Problem, ...]
    files: int
    norms: int
    cases: int

    @property
    def failed(self) -> bool:
        """Some problem is an error."""
        return any(problem.level == "error" for problem in self.problems)


def check(path: Path | None, today: date) -> Checked:
    """Check a law base, one folder of it or one file; raises UsageError where there is nothing to check."""
    sources, chosen = _select(path)
    base, problems, _ = read_all(sources)
    if base is None:
        return Checked(tuple(sorted(problems)), len(chosen), 0, 0)
    names = [name for name in chosen if name in base.built]
    problems = [
        p for p in problems if p.file.removesuffix(".yaml") in chosen or p.file in ("facts.yaml", "jurisdictions.yaml")
    ]
    loose = any(sources[f"{name}.yaml"] != sources["jurisdictions.yaml"].parent / f"{name}.yaml" for name in names)
    problems += lint(base, names, today.toordinal(), loose)
    if path is None or len(chosen) == len(base.files):
        problems += unresearched(base)
    problems += uncounted(base, names)
    statutes = [base.statute(name) for name in names]
    for statute in statutes:
        problems += run(statute, base)
    norms, cases = sum(len(s.norms) for s in statutes), sum(len(s.cases) for s in statutes)
    return Checked(tuple(sorted(set(problems))), len(chosen), norms, cases)


def _select(path: Path | None) -> tuple[dict[str, Path], list[str]]:
    """Return all sources of the base around a path, and the ids of the law files below it."""
    path = path or shipped()
    if not path.exists():
        raise UsageError(f"{path} does not exist")
    root = next(
        (folder for folder in (path, *path.resolve().parents) if (folder / "jurisdictions.yaml").is_file()), None
    )
    if root is not None and root.is_dir():
        sources = sources_of(root)
        inside = path.resolve()
        chosen = [
            n
            for n, file in sources.items()
            if "/" in n and (inside == file.resolve() or inside in file.resolve().parents)
        ]
    else:
        files = [path] if path.is_file() else sorted(path.rglob("*.yaml"))
        sources = {**sources_of(shipped()), **{f"{file.resolve().parent.name}/{file.name}": file for file in files}}
        chosen = [f"{file.resolve().parent.name}/{file.name}" for file in files]
    if not chosen:
        raise UsageError(f"{path} holds no law file")
    return sources, [name.removesuffix(".yaml") for name in chosen]


def run(statute: Statute, base: KnowledgeBase) -> list[Problem]:
    """Run a statute's cases; a floor or ceiling that none of them reaches is a fault too."""
    alone, lineage = base.only([statute.id]), None
    problems, reached = [], set[str]()
    for number, case in enumerate(statute.cases):
        knowledge = alone
        if case.expected.get("with") == "lineage":
            knowledge = lineage = lineage or base.only([s.id for s in base.statutes()])
        where = (f"{statute.id}.yaml", *case.place, f"cases.{number}")
        try:
            decision = answer(case, statute, knowledge)
        except ComplianceError as error:
            problems += [Problem(*where, f"{p.path}: {p.message}") for p in error.problems] or [
                Problem(*where, str(error))
            ]
            continue
        reached |= {name for name, seen in decision.norms.items() if seen.looked.applies != NO}
        problems += [Problem(*where, f"{case.name!r}: {wrong}") for wrong in compare(case.expected, decision, statute)]
    return problems + list(_without_case(statute, reached, base))


def answer(case: Case, statute: Statute, knowledge: KnowledgeBase) -> Decision:
    """Decide a case: exactly the file's place, no assumption but record: image."""
    facts = {"record": "image", **case.given, "jurisdiction": statute.jurisdiction}
    return decide(facts, knowledge, date.fromordinal(case.as_of))


def _without_case(statute: Statute, reached: set[str], base: KnowledgeBase) -> Iterator[Problem]:
    tree = base.files[statute.id].value
    norms = tree["norms"].value if isinstance(tree, dict) else None
    for norm, node in zip(statute.norms, norms if isinstance(norms, list) else [], strict=False):
        if norm.kind in ("floor", "ceiling") and norm.id not in reached:
            path = f"norms.{_short(norm.id, statute)}"
            message = f"no case reaches this {norm.kind}. Add one at each edge."
            yield Problem(f"{statute.id}.yaml", node.line, node.column, path, message)


def compare(expected: Mapping[str, Any], decision: Decision, statute: Statute) -> Iterator[str]:
    """Yield what differs between a case and the decision, in words."""
    seen = _seen(decision, statute)
    for key, wanted in expected.items():
        if key not in seen:
            continue
        got = seen[key]
        try:
            want = _normal(key, wanted)
        except ValueError as error:
            yield f"{key}: {error}"
            continue
        if isinstance(want, dict):
            got = {word: got[word] for word in want}
        if want != got:
            yield f"{key} is {_show(got)}, the case says {_show(want)}"


def _seen(decision: Decision, statute: Statute) -> dict[str, Any]:
    lossy, purge = decision.lossy, decision.earliest_purge_date
    return {
        "retain_through": _range(decision.retain.earliest, decision.retain.latest, decision.permanent),
        "binding_retain_through": _range(decision.binding.earliest, decision.binding.latest, decision.permanent),
        "by": _short(decision.governing[0] if decision.governing else "none", statute),
        "destroy_by": "none" if decision.destroy_by is None else write_day(decision.destroy_by),
        "earliest_purge_date": purge.isoformat() if purge else "none",
        "disposition": decision.disposition,
        "ready": decision.ready,
        "lossy": {
            "status": lossy.status,
            "allowed_from": write_day(lossy.allowed_from) if lossy.allowed_from else None,
            "max_ratio": lossy.max_ratio,
        },
        "duties": sorted(_short(duty.norm.id, statute) for duty in decision.duties),
    }


def _normal(key: str, wanted: Any) -> Any:
    if key in ("retain_through", "binding_retain_through"):
        if wanted in ("permanent", "never"):
            return wanted
        day = read_edtf(wanted)
        return _range(day.earliest, day.latest, False)
    if key == "duties":
        return sorted(wanted)
    if key == "lossy":
        return wanted
    return wanted


def _range(earliest: int, latest: int, permanent: bool) -> str:
    if permanent:
        return "permanent"
    if earliest > LAST:
        return "never"
    if latest >= LAST:
        return "unknown" if earliest == OPEN else f"{write_day(earliest)}/.."
    return write_edtf(DateRange(earliest, latest))


def _short(name: str, statute: Statute) -> str:
    return name.removeprefix(f"{statute.id}#")


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items() if item is not None) or "nothing"
    return str(value)
