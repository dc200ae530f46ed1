"""`compliance purge-date` cold, law base compiled, against `python -c pass`; prints the ratio last."""

from __future__ import annotations

import os
import subprocess
import sys

from rounds import ratios

QUESTION = ["purge-date", "--jurisdiction", "US-CA", "--facility-type", "hospital", "--modality", "CT", "--birth-date", "2010-02-10",
            "--study-date", "2012-05-01", "--assume", "practical", "--as-of", "2026-11-24"]  # fmt: skip


def call(*arguments: str) -> None:
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=env)


def main() -> None:
    found = ratios(lambda: call("-m", "compliance.cli", *QUESTION), [lambda: call("-c", "pass")], rounds=9)
    print(f"purge-date cold {found[0]:.1f} x python -c pass")


if __name__ == "__main__":
    main()
