"""An audit that is killed goes on from where it was, and memory does not grow with the archive."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from archives import write_archive, write_desk

from compliance.archive.inventory import open_inventory
from compliance.audit import patients
from compliance.audit.patients import know
from compliance.audit.profile import load_profile
from compliance.law.knowledge import load
from desk import PLACES

RUN = """
import resource, sys
from datetime import date
from pathlib import Path
from compliance.archive.inventory import open_inventory
from compliance.audit.profile import load_profile
from compliance.audit.run import Order, run
from compliance.law.knowledge import load

desk, work = Path(sys.argv[1]), Path(sys.argv[2])
order = Order(open_inventory(Path(sys.argv[3])), load_profile(desk / "profile.yaml", load(desk / "laws")), date(2026, 11, 24), work=work)
run(order)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def start(desk: Path, work: str, inventory: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUN, str(desk), str(desk / work), str(inventory)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})


def finish(process: subprocess.Popen[str]) -> int:
    out, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    return int(out)


def parts(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("tally-*.json")}


def test_an_audit_killed_in_the_middle_goes_on_and_gives_the_same_bytes(tmp_path):
    desk = write_desk(tmp_path, PLACES)
    inventory = write_archive(desk / "inv.parquet", 60_000, row_group=2_000)
    finish(start(desk, "whole", inventory))
    process = start(desk, "killed", inventory)
    while not parts(desk / "killed") and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    done = parts(desk / "killed")
    assert 0 < len(done) < 30
    finish(start(desk, "killed", inventory))
    assert {name: when for name, when in parts(desk / "killed").items() if name in done} == done
    for name in ("findings.parquet", "decisions.parquet"):
        assert (desk / "killed" / name).read_bytes() == (desk / "whole" / name).read_bytes(), name
    tallies = [sorted(json.loads(path.read_text()).items()) for path in sorted((desk / "whole").glob("tally-*.json"))]
    assert tallies == [sorted(json.loads(path.read_text()).items()) for path in sorted((desk / "killed").glob("tally-*.json"))]


def test_the_parts_of_another_audit_are_not_gone_on_from(tmp_path):
    desk = write_desk(tmp_path, PLACES)
    inventory = write_archive(desk / "inv.parquet", 2_000, row_group=500)
    finish(start(desk, "work", inventory))
    before = parts(desk / "work")
    finish(start(desk, "work", inventory))
    assert parts(desk / "work") == before
    (desk / "profile.yaml").write_text((desk / "profile.yaml").read_text().replace("assume: practical", "assume: cautious"))
    finish(start(desk, "work", inventory))
    assert all(when > before[name] for name, when in parts(desk / "work").items())


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is counted in kilobytes on Linux")
def test_memory_stays_flat_as_the_archive_grows(tmp_path):
    desk = write_desk(tmp_path, PLACES)
    peaks = [finish(start(desk, f"work-{rows}", write_archive(desk / f"{rows}.parquet", rows, 100_000))) for rows in (300_000, 1_200_000)]
    assert peaks[1] < 1.6 * peaks[0], peaks
    assert peaks[1] < 900_000, peaks


def test_patients_looked_at_in_buckets_are_known_as_well_as_all_at_once(tmp_path, monkeypatch):
    desk = write_desk(tmp_path, PLACES)
    inventory, profile = open_inventory(write_archive(tmp_path / "inv.parquet", 3_000)), load_profile(desk / "profile.yaml", load(desk / "laws"))
    whole = pq.read_table(know(inventory, profile, date(2026, 11, 24).toordinal(), tmp_path))
    monkeypatch.setattr(patients, "BUCKET", 400)
    parts = pq.read_table(know(inventory, profile, date(2026, 11, 24).toordinal(), tmp_path))
    assert whole.num_rows == 3_000 and whole.cast(parts.schema).equals(parts)
    assert not (tmp_path / "spill").exists()
