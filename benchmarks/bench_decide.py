"""One decision, facts in, decision out, in process with everything loaded, against an equal rule in zen-engine and in OpenFisca-core.

The rule: images are kept 10 years after the study, a child's at least until three years after majority. Ours says why, too.
"""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import zen
from openfisca_core import periods
from openfisca_core.entities import build_entity
from openfisca_core.simulation_builder import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable
from rounds import ratios
from studies import later

from compliance.decision.decide import decide
from compliance.law.dates import OPEN, DateRange, read_edtf
from compliance.law.jurisdictions import Jurisdictions, Majority, Place, Research
from compliance.law.knowledge import KnowledgeBase, load
from compliance.law.yaml import read_text

AS_OF = date(2026, 11, 24)
FACTS = {"jurisdiction": "ZZ", "facility_type": "hospital", "record": "image", "modality": "CT", "study_date": "2012-05-01", "birth_date": "2010-02-10"}
EXPECTED = "2031-02-10"
TIMES = 200
MONTH = "2026-11"


def our_law() -> KnowledgeBase:
    base = load()
    seen = Research(status="found", on=read_edtf("2026-11-24"))
    place = Place(code="ZZ", name="ZZ", majority=(Majority(since=DateRange(OPEN, OPEN), age=18),), researched=dict.fromkeys(base.vocabulary.facts["facility_type"].values, seen))
    period = {"latest": ["10 years after study_date", "3 years after age of majority"]}
    norm = {"id": "general", "kind": "floor", "citation": "1", "says": "s", "versions": [{"from": "2000-01-01", "period": period}], "verification": {"status": "verified"}}
    tree = {"jurisdiction": "ZZ", "title": "Act", "citation": "Act", "force": "binding", "norms": [norm]}
    return KnowledgeBase(base.vocabulary, Jurisdictions({"ZZ": place}), {"ZZ/act": read_text(json.dumps(tree), "ZZ")})


def zen_rule() -> zen.ZenDecision:
    expressions = [
        {"id": "a", "key": "ten", "value": "d(study_date).add('10y').format('%Y-%m-%d')"},
        {"id": "b", "key": "grown", "value": "d(birth_date).add('21y').format('%Y-%m-%d')"},
        {"id": "c", "key": "retain", "value": "d($.ten).isAfter(d($.grown)) ? $.ten : $.grown"},
    ]
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in"},
        {"id": "rule", "type": "expressionNode", "name": "rule", "content": {"expressions": expressions}},
        {"id": "out", "type": "outputNode", "name": "out"},
    ]
    edges = [{"id": "1", "sourceId": "in", "targetId": "rule"}, {"id": "2", "sourceId": "rule", "targetId": "out"}]
    return zen.ZenEngine().create_decision(json.dumps({"nodes": nodes, "edges": edges}))


def fisca_rule() -> TaxBenefitSystem:
    study = build_entity(key="study", plural="studies", label="a study", is_person=True)

    def input_(name: str) -> type:
        made = {"value_type": date, "entity": study, "definition_period": periods.DateUnit.MONTH, "label": name, "default_value": date(1900, 1, 1)}
        return type(name, (Variable,), made)

    class retain(Variable):
        value_type = date
        entity = study
        definition_period = periods.DateUnit.MONTH
        label = "last day it is kept"

        def formula(study, period):
            return np.maximum(later(study("study_date", period), 10), later(study("birth_date", period), 21))

    system = TaxBenefitSystem([study])
    for variable in (input_("study_date"), input_("birth_date"), retain):
        system.add_variable(variable)
    return system


def main() -> None:
    law, rule, system = our_law(), zen_rule(), fisca_rule()
    days = {"study_date": FACTS["study_date"], "birth_date": FACTS["birth_date"]}

    def ours() -> str:
        return date.fromordinal(decide(FACTS, law, AS_OF).retain.latest).isoformat()

    def by_zen() -> str:
        return str(rule.evaluate(days)["result"]["retain"])

    def by_fisca() -> str:
        situation = {"studies": {"one": {name: {MONTH: day} for name, day in days.items()}}}
        simulation = SimulationBuilder().build_from_entities(system, situation)
        return str(simulation.calculate("retain", MONTH)[0])

    for one in (ours, by_zen, by_fisca):
        assert one() == EXPECTED, (one.__name__, one())

    def often(one: object) -> object:
        return lambda: [one() for _ in range(TIMES)]

    zen_, fisca = ratios(often(ours), [often(by_zen), often(by_fisca)])
    print(f"one decision {zen_:.3f} x zen-engine, {fisca:.4f} x OpenFisca-core")


if __name__ == "__main__":
    main()
