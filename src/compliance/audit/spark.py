"""The audit on Apache Spark, for archives that one machine is too small for.

Spark runs the same SQL (`patients.py`), carries the same evaluator (`carried.py`) in `mapInArrow`, and sorts; the end is
that of every audit (`run.end`). Rows never pass through the driver's memory: executors write Parquet, the driver reads
file by file. Files are reached as Spark reaches them: local, hdfs://, s3a:// and whatever else it is set up for.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from compliance.archive.inventory import ROW_GROUP, Inventory, checked
from compliance.audit.carried import MARK, RESULTS, Carried, unpack
from compliance.audit.facts import PATIENT, matched_columns
from compliance.audit.patients import KNOWN, SEEN, combinations, same_site
from compliance.audit.results import join_tables
from compliance.audit.run import Audit, Evaluation, Order, end
from compliance.audit.session import Files, told
from compliance.audit.tally import Tally
from compliance.errors import InventoryError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

DAY = "unix_date(s.study_date)"
EXCERPT = """
select * from studies where study_uid in (select uid from asked)
  or patient_key in (select patient_key from studies where study_uid in (select uid from asked))
"""


def address(place: str) -> str:
    """Return a place as Spark reads it: a path on this machine becomes a file: address."""
    return place if "://" in place else Path(place).resolve().as_uri()


@dataclass(frozen=True)
class SparkEngine:
    """Runs audits of the inventory at an address; `work` is the address of a folder that the driver and all executors see."""

    spark: SparkSession
    source: str
    work: str
    finished: list[str] = field(default_factory=list)

    @cached_property
    def inventory(self) -> Inventory:
        """The inventory; raises InventoryError where there is none, or one of another schema version."""
        about, rows = Files(self.spark).about(self.source)
        return Inventory(Path(PurePosixPath(self.source)), checked(self.source, about), rows)

    def run(self, order: Order) -> Audit:
        """Judge everything the order names; what an earlier run of the same order has evaluated is not done again."""
        assert order.work is not None
        order.work.mkdir(parents=True, exist_ok=True)
        work = _Work(self, order, f"{self.work.rstrip('/')}/spark-{order.key[:16]}", order.work)
        with told():
            work.evaluate()
            judged = work.judged()
        order.progress(self.inventory.rows, self.inventory.rows, 0)
        audit = end(order, order.work, judged, work.excerpt)
        self.finished.append(work.place)
        return audit

    def clear(self) -> None:
        """Remove the files of audits that this engine has finished."""
        for place in self.finished:
            Files(self.spark).remove(place)


@dataclass(frozen=True)
class _Work:
    """One order at work: frames of Spark, files at `place`, and a folder of the driver."""

    engine: SparkEngine
    order: Order
    place: str
    folder: Path

    @property
    def spark(self) -> SparkSession:
        return self.engine.spark

    @property
    def tasks(self) -> int:
        """As many tasks as the inventory has row groups."""
        return max(1, -(-self.engine.inventory.rows // ROW_GROUP))

    def evaluate(self) -> None:
        """Evaluate every study and leave decisions, findings and tallies in one Parquet folder."""
        from pyspark.sql.pandas.types import from_arrow_schema

        if Files(self.spark).exists(f"{self.place}/results/_SUCCESS"):
            return
        order = self.order
        # With more partitions than tasks set here, Spark would shuffle anew for the join and tear the row groups apart.
        self.spark.conf.set("spark.sql.shuffle.partitions", str(self.tasks))
        sent = self.spark.sparkContext.broadcast(Carried(order.profile, order.as_of, order.waivers).pack())
        frame = self._studies_and_known().mapInArrow(
            lambda batches: unpack(sent.value).results(batches), from_arrow_schema(RESULTS)
        )
        frame.write.mode("overwrite").parquet(f"{self.place}/results")

    def _studies_and_known(self) -> DataFrame:
        """Return the studies, each with what is known of its patient, in tasks of whole row groups and in order."""
        from pyspark.sql import functions as f

        studies = self._look()
        block, own = f"{MARK}block", f"{MARK}own_block"
        known = self.spark.sql(KNOWN.format(as_of=self.order.as_of.toordinal())).select(
            f.expr(f"row div {ROW_GROUP} as {block}"),
            *(f.col(field.name).alias(MARK + field.name) for field in PATIENT),
        )
        left = studies.withColumn(own, f.expr(f"row div {ROW_GROUP}")).repartition(self.tasks, own)
        joined = left.join(known.repartition(self.tasks, block), f.expr(f"{own} = {block} and row = {MARK}row"), "left")
        return joined.sortWithinPartitions(own, "row")

    def _look(self) -> DataFrame:
        """Make the views `studies`, `sites` and `seen`; return the studies."""
        from pyspark.sql import functions as f
        from pyspark.sql.types import StringType, StructField, StructType

        spark, profile = self.spark, self.order.profile
        studies = spark.read.parquet(self.engine.source)
        studies.createOrReplaceTempView("studies")
        columns = matched_columns(profile, studies.columns)
        distinct = studies.select(*(f.col(name).cast("string") for name in columns)).distinct()
        rows = [tuple(row) for row in distinct.toLocalIterator()] if columns else [()]
        table = combinations(columns, rows, profile)
        kinds = StructType([StructField(name, StringType()) for name in table.column_names])
        sites = spark.createDataFrame([tuple(row.values()) for row in table.to_pylist()], kinds)
        f.broadcast(sites).createOrReplaceTempView("sites")
        spark.sql(SEEN.format(day=DAY, studies="studies", same=same_site(columns, "`"))).createOrReplaceTempView("seen")
        return studies

    def judged(self) -> Evaluation:
        """Sort the decisions, count the tallies, and return all with the files on this machine."""
        results = self.spark.read.parquet(f"{self.place}/results")
        tally = Tally()
        for text in _texts(results):
            tally.add(Tally.from_json(json.loads(text)))
        found = self._written("findings", results.where("finding is not null").select("finding.*"))
        decided = results.where("decision is not null").select("decision.*")
        in_order = self._written("decisions", decided.repartitionByRange(self.tasks, "row").sortWithinPartitions("row"))
        self._check(in_order)
        return Evaluation(tally, found, in_order, self._outcomes())

    def _written(self, name: str, frame: DataFrame) -> list[Path]:
        """Write a frame and return its files, in order, on this machine."""
        frame.write.mode("overwrite").parquet(f"{self.place}/{name}")
        return Files(self.spark).fetch(f"{self.place}/{name}", self.folder / name)

    def _check(self, decisions: Sequence[Path]) -> None:
        rows, found = self.engine.inventory.rows, sum(pq.ParquetFile(path).metadata.num_rows for path in decisions)
        if rows != found:
            raise InventoryError(
                f"{found:,} decisions of {rows:,} studies came back through {self.engine.work}: "
                "give a folder that the driver and all executors see with --work"
            )

    def _outcomes(self) -> Counter[str]:
        files = f"{self.engine.source.removesuffix('.parquet')}.files.parquet"
        if not Files(self.spark).exists(files):
            return Counter()
        if Files(self.spark).about(files)[0].get("id") != self.engine.inventory.digest:
            return Counter()
        counts = self.spark.read.parquet(files).groupBy("outcome").count().toLocalIterator()
        return Counter({row["outcome"]: row["count"] for row in counts})

    def excerpt(self, uids: Sequence[str]) -> Inventory:
        """Return an inventory of these studies and all others of their patients, on this machine."""
        with told():
            self.spark.read.parquet(self.engine.source).createOrReplaceTempView("studies")
            self.spark.createDataFrame([(uid,) for uid in uids] or [("",)], "uid string").createOrReplaceTempView(
                "asked"
            )
            parts = self._written("excerpt", self.spark.sql(EXCERPT))
        target = self.folder / "excerpt.parquet"
        join_tables(parts, target, _plain(pq.read_schema(parts[0])))
        whole = self.engine.inventory
        return Inventory(target, whole.about, pq.ParquetFile(target).metadata.num_rows)


def _texts(results: DataFrame) -> Iterator[str]:
    for row in results.where("tally is not null").select("tally").toLocalIterator():
        yield row["tally"]


def _plain(schema: pa.Schema) -> pa.Schema:
    return schema.remove_metadata()
