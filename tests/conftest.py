import os
import sys
from pathlib import Path

import pytest

for folder in (".", "archive", "audit"):
    sys.path.insert(0, str(Path(__file__).parent / folder))


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the user's cache or key."""
    monkeypatch.setenv("COMPLIANCE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("COMPLIANCE_KEY", "a secret of tests only")
    os.environ.setdefault("TZ", "UTC")
