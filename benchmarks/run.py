"""Run every benchmark beside this file and write RESULTS.md: ratios in one run, never absolute claims."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    rows, load = [], os.getloadavg()[0]
    for script in sorted(HERE.glob("bench_*.py")):
        done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
        rows.append(f"| {script.stem.removeprefix('bench_')} | {done.stdout.strip().splitlines()[-1]} |")
        print(rows[-1], file=sys.stderr)
    head = [
        "# Results",
        "",
        f"{date.today()}, {platform.machine()}, {os.cpu_count()} cores (load before: {load:.1f}), Python {platform.python_version()}",
        "",
        "| what | ratio |",
        "|---|---|",
    ]
    (HERE / "RESULTS.md").write_text("\n".join([*head, *rows]) + "\n")


if __name__ == "__main__":
    main()
