"""`compliance purge-date` (one study, from options) and `compliance decide` (JSON lines in, JSON lines out)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from compliance.cli.options import assume_option, law_options, read_day
from compliance.errors import ComplianceError, FactError, UsageError
from compliance.law import once

if TYPE_CHECKING:
    from compliance.decision.assume import AssumptionSet
    from compliance.decision.holds import Hold
    from compliance.law.knowledge import KnowledgeBase

COMMON = {
    "jurisdiction": "place whose law binds the keeper (US-CA, DE); repeat or separate by commas for several",
    "facility-type": "hospital, imaging_center, physician_practice, clinic ...",
    "record": "image, report, record ...",
    "modality": "DICOM code: CT, MR, MG ...",
    "study-date": "day of the study: 2012-05-01, 2012, ../2012-05-01",
    "birth-date": "the patient's birth: a day, a month, a year, a range",
    "discharge-date": "end of the stay",
    "last-service-date": "the keeper's last service to the patient",
    "death-date": "a day, never, happened",
    "payer": "public_insurance, medicare_advantage ...",
    "ownership": "public, private, federal",
}
_SETS = {"record", "modality", "payer", "jurisdiction"}


def _common(command: Any) -> Any:
    for name, help in reversed(COMMON.items()):
        command = click.option(f"--{name}", multiple=True, help=help)(command)
    return command


@click.command("purge-date")
@_common
@click.option("--fact", "more", multiple=True, metavar="NAME=VALUE", help="any other fact; several values by commas")
@click.option("--as-of", help="the day of the question (default: today)")
@click.option(
    "--format", "shape", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True,
    help="for people, for a page, or for programs (docs/api.md)",
)  # fmt: skip
@assume_option
@law_options
def purge_date(
    more: tuple[str, ...],
    as_of: str | None,
    shape: str,
    assume: tuple[str, ...],
    laws: Path | None,
    **given: tuple[str, ...],
) -> int:
    """From which day may this study lawfully be purged, and why?

    \b
    compliance purge-date --jurisdiction US-CA --facility-type hospital --modality CT \\
        --birth-date 2010-02-10 --study-date 2012-05-01 --assume practical
    """
    from compliance.decision import explain
    from compliance.decision.decide import decide
    from compliance.decision.missing import what_would_change

    knowledge, sets = _load(laws, assume)
    facts = _facts(given, more)
    decision = decide(facts, knowledge, read_day(as_of), sets)
    missing = what_would_change(decision, knowledge, sets)
    if shape == "json":
        from compliance.decision import contract

        click.echo(json.dumps(contract.to_json(decision, missing), ensure_ascii=False, indent=1))
    else:
        click.echo((explain.text if shape == "text" else explain.markdown)(decision, missing), nl=False)
    return 0


def _load(laws: Path | None, assume: Iterable[str]) -> tuple[KnowledgeBase, list[AssumptionSet]]:
    from compliance.decision.assume import choose
    from compliance.law.knowledge import load

    knowledge = load(laws)
    return knowledge, [one for name in assume for one in choose(name, knowledge.vocabulary)]


def _facts(given: dict[str, tuple[str, ...]], more: Iterable[str]) -> dict[str, Any]:
    """Return the facts of options; a fact that takes one value is given once, of a set the values are joined."""
    found = {name: list(values) for name, values in given.items() if values}
    for entry in more:
        name, sign, value = entry.partition("=")
        if not sign:
            raise UsageError(f"--fact {entry!r} is not NAME=VALUE")
        found.setdefault(name.strip(), []).append(value.strip())
    facts: dict[str, Any] = {}
    for name, values in found.items():
        if len(values) > 1 and name not in _SETS:
            raise UsageError(f"{name} is given twice: {', '.join(values)}. Which is meant? (Several values: by commas)")
        value = ",".join(values)
        several = "," in value or name in _SETS
        facts[name] = (
            [word.strip() for word in value.split(",") if word.strip()] if several and value != "unknown" else value
        )
    return facts


@click.command("decide", short_help="Decide questions in bulk: one JSON object a line.")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option(
    "--profile",
    "profile_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="an organisation's profile: its assumptions, policies, holds",
)
@assume_option
@law_options
def decide_lines(file: TextIO, profile_file: Path | None, assume: tuple[str, ...], laws: Path | None) -> int:
    """One JSON object a line in ({"id", "as_of", "facts"}), one decision a line out, in order; FILE may be -.

    A line that cannot be read gives {"id", "error"} in its place and exit code 2 at the end.
    """
    knowledge, sets = _load(laws, assume)
    holds: tuple[Hold, ...] = ()
    if profile_file is not None:
        from compliance.audit.profile import load_profile

        profile = load_profile(profile_file, knowledge)
        knowledge, holds, sets = profile.knowledge, profile.holds, [*sets, *profile.assumptions]
    failed = False
    for number, line in enumerate(file, 1):
        if line.strip():
            answer = _answer(line, number, knowledge, sets, holds)
            failed = failed or "error" in answer
            sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    return 2 if failed else 0


def _answer(
    line: str, number: int, knowledge: KnowledgeBase, sets: list[AssumptionSet], holds: tuple[Hold, ...]
) -> dict[str, Any]:
    from compliance.decision.contract import to_json
    from compliance.decision.decide import decide
    from compliance.decision.missing import what_would_change

    name: Any = None
    try:
        entry = json.loads(line, object_pairs_hook=once.pairs)
        if not isinstance(entry, dict):
            raise FactError("a line must be a JSON object with id, as_of and facts")
        name = entry.get("id")
        unknown = set(entry) - {"id", "as_of", "facts"}
        if unknown:
            raise FactError(f"unknown keys {', '.join(sorted(unknown))}. Allowed: id, as_of, facts")
        decision = decide(entry.get("facts", {}), knowledge, _as_of(entry.get("as_of")), sets, holds)
        missing = what_would_change(decision, knowledge, sets, holds)
        return {"id": name, **to_json(decision, missing)}
    except (ComplianceError, ValueError, RecursionError) as error:
        problems = [{"path": p.path, "message": p.message} for p in getattr(error, "problems", ())]
        message = str(error.args[0]) if error.args else str(error)
        return {"id": name, "error": {"line": number, "message": message, "problems": problems}}


def _as_of(raw: Any) -> date:
    if not isinstance(raw, str):
        raise FactError("as_of is missing: the day of the question, such as 2026-11-24")
    try:
        return date.fromisoformat(raw)
    except ValueError:
        raise FactError(f"as_of {raw!r} is no day. Allowed: a day such as 2026-11-24") from None
