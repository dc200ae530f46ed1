"""The static site: every page as a file with relative links, hostable anywhere."""

from __future__ import annotations

from pathlib import Path

from compliance.errors import UsageError
from compliance.service.pages import Pages

MARK = ".imaging-compliance-site"


def write_site(folder: Path, pages: Pages) -> int:
    """Write all pages into a new, empty or earlier site folder; return how many files. Raises UsageError for another's folder."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file, not a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise UsageError(f"{folder} holds other files. Give a new or empty folder, or one of an earlier `compliance site`")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("made by compliance site\n")
    root, written = folder.resolve(), set[Path]()
    for name in pages.paths():
        target = (root / name).resolve()
        if root not in target.parents:
            raise UsageError(f"{name} would be written outside of {folder}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(pages.read(name))
        written.add(target)
    for old in [one for one in root.rglob("*") if one.is_file() and one not in written and one.name != MARK]:
        old.unlink()
    return len(written)
