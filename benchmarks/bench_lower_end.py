"""The first lawful day by the same eight rules for 60 places: ours against one CASE expression in DuckDB and in Polars, OpenFisca-core, dateutil.

All answer the lower end alone. Parquet in, Parquet out on two threads for ours, DuckDB and Polars; OpenFisca-core gets arrays that lie ready; dateutil
goes row by row over a few thousand rows and is counted by the row. Size by argument (default 2,000,000 studies).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from bench_bulk import duck, lower_end, ours
from dateutil.relativedelta import relativedelta
from openfisca_core import periods
from openfisca_core.entities import build_entity
from openfisca_core.simulation_builder import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable
from rounds import ratios
from studies import AS_OF, PLACES, later, law, write

from compliance.decision.assume import shipped
from compliance.decision.columns import Evaluator

FEW = 4_000
FILM = ("CR", "DX", "XA")
MONTH = "2026-11"


def years(place: str) -> int:
    return 5 + PLACES.index(place) % 7


def one_place(y: int) -> str:
    film = ", ".join(f"'{word}'" for word in FILM)
    return f"""greatest(
      case when facility_type = 'hospital' and modality not in ({film}) then greatest(discharge_date + interval '{y}y', birth_date + interval '21y') end,
      case when facility_type <> 'hospital' then last_service_date + interval '{y + 1}y' end,
      case when study_date < birth_date + interval '18y' then birth_date + interval '23y' end,
      case when death_date <= date '{AS_OF}' then death_date + interval '5y' end,
      case when modality in ({film}) then study_date + interval '{y - 2}y' end,
      case when modality = 'MG' then last_day_of(study_date + interval '10y') end,
      case when modality = 'US' then study_date + interval '2y' end)"""


def case(end_of_year: str) -> str:
    arms = " ".join(f"when '{place}' then {one_place(years(place))}" for place in PLACES)
    return f"case jurisdiction {arms} end".replace("last_day_of(study_date + interval '10y')", end_of_year)


def by_duck(source: Path, target: Path) -> Callable[[], None]:
    end = "make_date(year(study_date) + 10, 12, 31)"
    return lambda: duck(f"select ({case(end)})::date as retain from read_parquet('{source}')", target)


def by_polars(source: Path, target: Path) -> Callable[[], None]:
    end = "((study_date + interval '10y'))"
    sql = case(end).replace("greatest(discharge", "greatest (discharge")
    return lambda: pl.SQLContext(t=pl.scan_parquet(source)).execute(f"select {sql} as retain from t").sink_parquet(target)


def fisca_rule() -> TaxBenefitSystem:
    study = build_entity(key="study", plural="studies", label="a study", is_person=True)
    dates = ["study_date", "birth_date", "death_date", "discharge_date", "last_service_date"]

    def input_(name: str, kind: type) -> type:
        made = {"value_type": kind, "entity": study, "definition_period": periods.DateUnit.MONTH, "label": name}
        return type(name, (Variable,), made)

    class retain(Variable):
        value_type = date
        entity = study
        definition_period = periods.DateUnit.MONTH
        label = "last day it is kept"

        def formula(study, period):
            studied, birth, death, discharge, service = (study(name, period).astype("datetime64[D]") for name in dates)
            y, facility, modality = 5 + study("place", period) % 7, study("facility", period), study("kind", period)
            hospital, film, none = facility == 0, np.isin(modality, [2, 3, 7]), np.datetime64("0001-01-01")
            found = np.where(hospital & ~film, np.maximum(later(discharge, y), later(birth, 21)), none)
            for applies, until in (
                (~hospital, later(service, y + 1)), (studied < later(birth, 18), later(birth, 23)),
                (death <= np.datetime64(AS_OF), later(death, 5)), (film, later(studied, y - 2)),
                (modality == 5, (studied.astype("datetime64[Y]") + 11).astype("datetime64[D]") - 1), (modality == 4, later(studied, 2)),
            ):  # fmt: skip
                found = np.maximum(found, np.where(applies, until, none))
            return found

    system = TaxBenefitSystem([study])
    for variable in (*(input_(name, date) for name in dates), *(input_(name, int) for name in ("place", "facility", "kind")), retain):
        system.add_variable(variable)
    return system


def by_fisca(table: pa.Table) -> Callable[[], np.ndarray]:
    system, columns = fisca_rule(), {}
    for name, column in (("place", "jurisdiction"), ("facility", "facility_type"), ("kind", "modality")):
        columns[name] = table[column].combine_chunks().indices.to_numpy()
    for name in ("study_date", "birth_date", "death_date", "discharge_date", "last_service_date"):
        columns[name] = table[name].to_numpy().astype("datetime64[D]")

    def work() -> np.ndarray:
        simulation = SimulationBuilder().build_default_simulation(system, table.num_rows)
        for name, values in columns.items():
            simulation.set_input(name, MONTH, values)
        return simulation.calculate("retain", MONTH)

    return work


def by_dateutil(rows: list[dict[str, object]]) -> list[date]:
    found = []
    for row in rows:
        y, hospital, film = years(row["jurisdiction"]), row["facility_type"] == "hospital", row["modality"] in FILM
        study, birth, ends = row["study_date"], row["birth_date"], []
        if hospital and not film:
            ends += [row["discharge_date"] + relativedelta(years=y), birth + relativedelta(years=21)]
        if not hospital:
            ends.append(row["last_service_date"] + relativedelta(years=y + 1))
        if study < birth + relativedelta(years=18):
            ends.append(birth + relativedelta(years=23))
        if row["death_date"] <= AS_OF:
            ends.append(row["death_date"] + relativedelta(years=5))
        if film:
            ends.append(study + relativedelta(years=y - 2))
        if row["modality"] == "MG":
            ends.append(date(study.year + 10, 12, 31))
        if row["modality"] == "US":
            ends.append(study + relativedelta(years=2))
        found.append(max(ends))
    return found


def agree(one: np.ndarray, other: np.ndarray) -> None:
    """Both give the same day but for 29 February and births of which only the year is known."""
    same = np.mean(one.astype("datetime64[D]") == other.astype("datetime64[D]"))
    assert same > 0.97, f"only {same:.1%} agree"


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    knowledge = law(8)
    work = Evaluator(knowledge, AS_OF.toordinal(), (shipped("practical", knowledge.vocabulary),))
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        source = write(here / "studies.parquet", rows)
        table = pq.read_table(source)
        few = table.slice(0, FEW).to_pylist()
        mine = lambda: ours(source, here / "ours.parquet", lower_end(work))  # noqa: E731
        others = [by_duck(source, here / "case.parquet"), by_polars(source, here / "polars.parquet"), by_fisca(table), lambda: by_dateutil(few)]
        mine()
        lower = pq.read_table(here / "ours.parquet")["retain_earliest"].to_numpy()
        others[0]()
        agree(lower, duckdb.sql(f"select retain from read_parquet('{here / 'case.parquet'}')").fetchnumpy()["retain"])
        agree(lower, others[2]())
        agree(lower[:FEW], np.array(others[3]()))
        found = ratios(mine, others)
        others[1]()
    case_, polars, fisca, dateutil = 1 / found[0], 1 / found[1], 1 / found[2], rows / FEW / found[3]
    print(f"{rows:,} studies, 8 norms: {case_:.2f} times as fast as one CASE in DuckDB, {polars:.2f} as Polars, {fisca:.2f} as OpenFisca-core, {dateutil:.0f} as dateutil")


if __name__ == "__main__":
    main()
