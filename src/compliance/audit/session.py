"""A Spark session, the files it reaches, and its failures in words for people."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compliance.errors import InventoryError, UsageError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

INSTALL = 'pip install "imaging-compliance[spark]"'
JAVA = 17
_OURS = {
    "spark.sql.execution.arrow.maxRecordsPerBatch": "65536",
    "spark.sql.requireAllClusterKeysForCoPartition": "false",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
}


def check_installed() -> None:
    """Raise UsageError where pyspark, a pandas that it bears, or Java is missing; says what to install."""
    try:
        version("pyspark")
        pandas = version("pandas")
    except PackageNotFoundError as error:
        raise UsageError(f"the Spark engine needs {error.name}, which is not installed. Try: {INSTALL}") from None
    if int(pandas.partition(".")[0]) >= 3:
        raise UsageError(f"the Spark engine needs pandas below 3, {pandas} is installed. Try: {INSTALL}")
    found = _java()
    if found is None:
        raise UsageError(
            f"the Spark engine needs Java {JAVA}, and neither JAVA_HOME nor PATH has one. "
            f"Try: apt install openjdk-{JAVA}-jre-headless"
        )
    if found < JAVA:
        raise UsageError(f"the Spark engine needs Java {JAVA}, found is {found}. Set JAVA_HOME to a newer one.")


def _java() -> int | None:
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if program is None:
        return None
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, check=True, timeout=60).stderr
    except (OSError, subprocess.SubprocessError):
        return None
    number = re.search(r'version "(\d+)', said)
    return int(number[1]) if number else None


@contextmanager
def session(settings: Mapping[str, str], quiet: bool = True) -> Iterator[SparkSession]:
    """Open a session, with settings as `spark-submit --conf` takes them, and close it; one that is open already stays open.

    Raises UsageError where something is missing or Spark does not start.
    """
    check_installed()
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    builder = SparkSession.builder.appName("compliance audit")
    ours = {"spark.ui.showConsoleProgress": str(not quiet).lower(), **settings}
    if settings.get("spark.master", "local").startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    for key, value in ours.items():
        builder = builder.config(key, value)
    try:
        spark = builder.getOrCreate()
        spark.sparkContext.setLogLevel("ERROR")
        for key, value in _OURS.items():
            spark.conf.set(key, value)
    except (PySparkException, OSError) as error:
        raise UsageError(f"Spark does not start: {first_line(error)}") from None
    except Exception as error:  # what the Java side throws has many names
        if not _from_java(error):
            raise
        raise UsageError(f"Spark does not start: {first_line(error)}") from None
    try:
        yield spark
    finally:
        if active is None:
            spark.stop()


@contextmanager
def told() -> Iterator[None]:
    """Raise InventoryError in place of what Spark or Java throws."""
    from pyspark.errors import PySparkException

    try:
        yield
    except Exception as error:
        if not isinstance(error, PySparkException) and not _from_java(error):
            raise
        raise InventoryError(_words(str(error))) from None


def _words(error: str) -> str:
    missing = re.search(r"ModuleNotFoundError: No module named '([\w.]+)'", error)
    if missing:
        name = "this program" if missing[1].startswith("compliance") else missing[1]
        return f"the executors do not have {name}: ship it to them with --spark-conf spark.submit.pyFiles=..."
    return f"Spark: {first_line(error)}"


def _from_java(error: Exception) -> bool:
    return type(error).__module__.startswith("py4j")


def first_line(error: object) -> str:
    """Return the line of a Spark error that says what went wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith(("An error occurred", "at ", ":  ", "Traceback", "File"))]
    return (said or lines or ["no word of what went wrong"])[0].removeprefix(": ")[:500]


@dataclass(frozen=True)
class Files:
    """Files as Spark reaches them, whatever holds them."""

    spark: SparkSession

    def _path(self, place: str) -> tuple[Any, Any]:
        context: Any = self.spark.sparkContext
        path = context._jvm.org.apache.hadoop.fs.Path(place)
        return path, path.getFileSystem(context._jsc.hadoopConfiguration())

    def exists(self, place: str) -> bool:
        """The file or folder is there."""
        with told():
            path, system = self._path(place)
            return bool(system.exists(path))

    def about(self, place: str) -> tuple[dict[str, Any], int]:
        """Return what a Parquet file of an inventory says of itself, and its rows; raises InventoryError."""
        with told():
            context: Any = self.spark.sparkContext
            path, system = self._path(place)
            if not system.exists(path):
                raise InventoryError(f"{place} does not exist")
            parquet = context._jvm.org.apache.parquet.hadoop
            file = parquet.util.HadoopInputFile.fromPath(path, context._jsc.hadoopConfiguration())
            reader = parquet.ParquetFileReader.open(file)
            try:
                said = reader.getFooter().getFileMetaData().getKeyValueMetaData().get("compliance")
                rows = int(reader.getRecordCount())
            finally:
                reader.close()
        try:
            found = json.loads(said or "{}")
        except ValueError:
            found = {}
        return found if isinstance(found, dict) else {}, rows

    def fetch(self, place: str, folder: Path) -> list[Path]:
        """Return the Parquet files of a folder in order, copied into a local one where they are elsewhere."""
        with told():
            path, system = self._path(place)
            names = sorted(str(one.getPath().toString()) for one in system.listStatus(path))
            names = [name for name in names if name.rpartition("/")[2].startswith("part-")]
            if place.startswith("file:"):
                return [Path(self._path(name)[0].toUri().getPath()) for name in names]
            folder.mkdir(parents=True, exist_ok=True)
            return [self._copied(name, folder) for name in names]

    def _copied(self, name: str, folder: Path) -> Path:
        target = folder / name.rpartition("/")[2]
        path, system = self._path(name)
        system.copyToLocalFile(False, path, self._path(target.as_uri())[0], True)
        return target

    def remove(self, place: str) -> None:
        """Remove a folder."""
        with told():
            path, system = self._path(place)
            system.delete(path, True)
