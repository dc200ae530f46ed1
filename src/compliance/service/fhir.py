"""POST /v1/fhir/decisions: a FHIR R4 or R5 Bundle of ImagingStudy, Patient and Encounter in; the same Bundle out.

Each ImagingStudy carries the decision as an extension. What FHIR does not say, who keeps the images, comes by query.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from compliance.decision.decide import Decision, decide
from compliance.decision.holds import Hold
from compliance.errors import FactError
from compliance.law.dates import LAST, OPEN, write_day
from compliance.service import bulk
from compliance.service.contract import AS_OF, ASSUME, Operation, Param
from compliance.service.problems import Refusal, of_error
from compliance.service.serving import ENCODER, Service, asked, assumed, body_of, day_of, serving

FHIR = "application/fhir+json"
EXTENSION = "urn:imaging-compliance:fhir:retention"
KEEPER = ("jurisdiction", "facility_type", "keeper_role")
Json = dict[str, Any]


async def fhir(request: Request) -> Response:
    """Decide every ImagingStudy of a Bundle."""
    service, query = serving(request), asked(request, "as_of", "assume", *KEEPER)
    body = await body_of(request, FHIR, "application/json")
    try:
        bundle = msgspec.json.decode(body, type=Json)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal("bad-request", f"The body is no JSON: {error}") from None
    day = day_of(query.get("as_of"), service.today())
    names = assumed(query)
    keeper: Json = {
        name: query[name].split(",") if name == "jurisdiction" else query[name] for name in KEEPER if name in query
    }
    await run_in_threadpool(decide_all, bundle, service, keeper, names, day, await service.holds_now())
    return Response(ENCODER.encode(bundle), media_type=FHIR)


def decide_all(
    bundle: Json, service: Service, keeper: Json, names: tuple[str, ...], day: date, holds: tuple[Hold, ...]
) -> None:
    """Give every ImagingStudy of a Bundle its decision as an extension; raises Refusal."""
    by_reference = dict(_by_reference(bundle))
    for path, study in _studies(bundle):
        try:
            facts = {**facts_of(study, by_reference, path), **keeper}
            decision = decide(facts, service.knowledge, day, service.sets(names), holds)
        except FactError as error:
            raise of_error(error) from None
        kept = [
            one for one in _list(study.get("extension")) if not (isinstance(one, dict) and one.get("url") == EXTENSION)
        ]
        study["extension"] = [*kept, extension(decision, day)]


def _list(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else []


def _map(raw: Any) -> Json:
    return raw if isinstance(raw, dict) else {}


def _entries(bundle: Json) -> Iterator[tuple[str, Json]]:
    for number, entry in enumerate(_list(bundle.get("entry"))):
        if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
            yield f"entry.{number}.resource", entry


def _by_reference(bundle: Json) -> Iterator[tuple[str, Json]]:
    for _, entry in _entries(bundle):
        resource = entry["resource"]
        yield f"{resource.get('resourceType')}/{resource.get('id')}", resource
        if isinstance(entry.get("fullUrl"), str):
            yield entry["fullUrl"], resource


def _studies(bundle: Json) -> Iterator[tuple[str, Json]]:
    if bundle.get("resourceType") != "Bundle":
        raise Refusal("invalid", "Send a Bundle with ImagingStudy and Patient")
    found = [
        (path, entry["resource"])
        for path, entry in _entries(bundle)
        if entry["resource"].get("resourceType") == "ImagingStudy"
    ]
    if not found:
        raise Refusal("invalid", "The Bundle holds no ImagingStudy")
    yield from found


def _day(raw: Any, path: str) -> str | None:
    """Return the day of a FHIR date or dateTime (its partial forms are EDTF's)."""
    if raw is None:
        return None
    if not isinstance(raw, str) or not raw:
        raise Refusal("invalid", f"{path} must be a date")
    return raw[:10]


def _codes(raw: Any) -> Iterator[str]:
    """Yield codes of Coding (R4) or CodeableConcept (R5)."""
    for one in raw if isinstance(raw, list) else [raw]:
        found = _map(one)
        for coding in [found, *map(_map, _list(found.get("coding")))]:
            if isinstance(coding.get("code"), str):
                yield coding["code"]


def facts_of(study: Json, by_reference: Mapping[str, Json], path: str) -> Json:
    """Return the facts that FHIR says of a study, its patient and its encounter."""
    series = [_map(one) for one in _list(study.get("series"))]
    modality = [code for one in [study, *series] for code in _codes(one.get("modality"))]
    uid = next(
        (
            str(i.get("value", "")).removeprefix("urn:oid:")
            for i in map(_map, _list(study.get("identifier")))
            if str(i.get("value", "")).startswith("urn:oid:")
        ),
        None,
    )
    found: Json = {
        "record": "image", "modality": sorted(set(modality)) or None, "study_uid": uid,
        "study_date": _day(study.get("started"), f"{path}.started"),
        **_patient(_referred(study.get("subject"), by_reference), path), **_encounter(_referred(study.get("encounter"), by_reference), path),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None}


def _referred(reference: Any, by_reference: Mapping[str, Json]) -> Json:
    name = _map(reference).get("reference")
    return by_reference.get(name, {}) if isinstance(name, str) else {}


def _patient(patient: Json, path: str) -> Json:
    dead = patient.get("deceasedBoolean")
    return {
        "birth_date": _day(patient.get("birthDate"), f"{path}.subject.birthDate"),
        "death_date": _day(patient.get("deceasedDateTime"), f"{path}.subject.deceasedDateTime"),
        "deceased": dead if isinstance(dead, bool) else None,
    }


def _encounter(encounter: Json, path: str) -> Json:
    kind = set(_codes(encounter.get("class")))
    return {
        "discharge_date": _day(_map(encounter.get("period")).get("end"), f"{path}.encounter.period.end"),
        "inpatient": None if not kind else not kind.isdisjoint({"IMP", "ACUTE", "NONAC"}),
    }


def extension(decision: Decision, day: date) -> Json:
    """Return the decision as a complex extension."""
    short = bulk.brief(decision)
    low, high = decision.retain
    parts: list[tuple[str, str, Any]] = [
        ("disposition", "valueCode", short.disposition),
        ("ready", "valueBoolean", decision.ready),
        ("retainThroughEarliest", "valueDate", write_day(low) if OPEN < low <= LAST else None),
        ("retainThroughLatest", "valueDate", write_day(high) if high < LAST else None),
        ("permanent", "valueBoolean", decision.permanent),
        ("earliestPurgeDate", "valueDate", short.earliest_purge_date),
        ("destroyBy", "valueDate", short.destroy_by),
        *(("governing", "valueString", name) for name in decision.governing),
        *(("missing", "valueString", name) for name in short.missing),
        *(("hold", "valueString", hold.id) for hold in decision.holds),
        ("asOf", "valueDate", day.isoformat()),
        ("lawVersion", "valueString", decision.law_version),
        ("lawDigest", "valueString", decision.law_digest),
    ]
    return {
        "url": EXTENSION,
        "extension": [{"url": name, kind: value} for name, kind, value in parts if value is not None],
    }


_BUNDLE = {"type": "object", "required": ["resourceType", "entry"], "properties": {"resourceType": {"const": "Bundle"}}}
OPERATIONS = (
    Operation(
        method="POST", path="/v1/fhir/decisions", handler=fhir, scope="read", summary="ImagingStudy and Patient in, the decision as an extension out",
        takes={FHIR: _BUNDLE}, gives={200: {FHIR: _BUNDLE}},
        params=(AS_OF, ASSUME, *(Param(name, f"the keeper's {name}") for name in KEEPER)),
    ),
)  # fmt: skip
