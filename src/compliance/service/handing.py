"""Law files handed in at the law desk: one commit each in the git work tree where they lie (`compliance serve --law-desk`).

The file is written aside and renamed; where git refuses the commit, the work tree is as it was. What somebody else has
changed and not committed is never touched, nor anything but the one file.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from compliance.errors import UsageError
from compliance.report.files import write_bytes
from compliance.service.problems import Refusal

_PATIENCE = 15.0
_SERVICE = {
    "GIT_COMMITTER_NAME": "imaging-compliance law desk",
    "GIT_COMMITTER_EMAIL": "law-desk@imaging-compliance.invalid",
}


class GitError(Exception):
    """What git said when it refused."""


def need_work_tree(folder: Path) -> None:
    """Raise UsageError where a folder is no git work tree, or git is not installed."""
    try:
        inside = _git(folder, "rev-parse", "--is-inside-work-tree").strip() == "true"
        _git(folder, "rev-parse", "--verify", "HEAD")
    except GitError as error:
        raise UsageError(f"--law-desk {folder} is no git work tree with a first commit: {error}") from None
    if not inside:
        raise UsageError(f"--law-desk {folder} is no git work tree")


def text_of(folder: Path, name: str) -> str:
    """Return the text of a law file as it lies there, empty where there is none."""
    file = folder / f"{name}.yaml"
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def digest_of(text: str) -> str:
    """Return what stands for a text in forms and in the ledger."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def last_commit(folder: Path, name: str) -> str:
    """Return who changed a law file last, when and why, empty where nobody did or git does not say."""
    try:
        return _git(folder, "log", "-1", "--date=short", "--format=%h by %an on %ad: %s", "--", f"{name}.yaml").strip()
    except GitError:
        return ""


class Committed(NamedTuple):
    """A commit and the digest of the text that stands in it (a hook may have changed what was handed in)."""

    id: str
    digest: str


def commit(folder: Path, name: str, text: str, read: str, who: str, why: str) -> Committed:
    """Commit the text of a law file as `who`. `read`: the digest of the text that was edited.

    Raises Refusal where the file is another by now or was changed without a commit, and where git refuses.
    """
    file, spec = folder / f"{name}.yaml", f"{name}.yaml"
    if file.is_symlink() or not file.parent.resolve().is_relative_to(folder.resolve()):
        raise Refusal("conflict", f"{spec} leads out of the folder of laws")
    old = text_of(folder, name)
    if digest_of(old) != read:
        raise Refusal("conflict", f"{spec} has changed since you opened it: open it again")
    if old == text:
        raise Refusal("conflict", f"{spec} says this already: nothing is to be committed")
    try:
        if _git(folder, "status", "--porcelain", "--ignored", "--untracked-files=all", "--", spec):
            raise Refusal(
                "conflict", f"{spec} was changed in the work tree and not committed: commit or undo that first"
            )
        return _commit(folder, file, spec, text, f"{_plain(who)} <>", f"{name}: {_plain(why)}")
    except GitError as error:
        raise Refusal("conflict", f"git has not committed it, the file is as it was: {error}") from None


def _commit(folder: Path, file: Path, spec: str, text: str, author: str, subject: str) -> Committed:
    before, old = _git(folder, "rev-parse", "HEAD"), file.read_bytes() if file.exists() else None
    _put(file, text.encode())
    try:
        _git(folder, "add", "--", spec)
        message = f"{subject}\n\nSigned-off-by: {author}\n"
        _git(folder, "commit", "--quiet", "--author", author, "--message", message, "--only", "--", spec)
    except GitError:
        if before == _git(folder, "rev-parse", "HEAD"):  # else it was committed, and a hook that came after failed
            _undo(folder, file, spec, old)
            raise
    return Committed(_git(folder, "rev-parse", "HEAD").strip(), digest_of(_git(folder, "show", f"HEAD:./{spec}")))


def _undo(folder: Path, file: Path, spec: str, old: bytes | None) -> None:
    if old is not None:
        _put(file, old)
    else:
        file.unlink(missing_ok=True)
    _git(folder, "reset", "--quiet", "--", spec)


def _put(file: Path, content: bytes) -> None:
    """Write a file aside, then rename it into place; who may read it stays."""
    file.parent.mkdir(exist_ok=True)
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o644
    write_bytes(file, content)
    file.chmod(mode)


def _plain(text: str) -> str:
    """Return a name or a sentence that fits into one line of a commit."""
    return " ".join("".join(" " if letter in "<>" or not letter.isprintable() else letter for letter in text).split())


def _git(folder: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "--literal-pathspecs", "-C", str(folder), *arguments]
    try:
        with subprocess.Popen(
            command, env={**environment, **_SERVICE, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, encoding="utf-8", errors="replace",
        ) as running:  # fmt: skip
            said, wrong = _heard(running)
    except FileNotFoundError:
        raise GitError("git is not installed") from None
    except OSError as error:
        raise GitError(f"git could not be started: {error.strerror}") from None
    if running.returncode:
        raise GitError((wrong or said).strip().partition("\n")[0][:300] or f"git ended with {running.returncode}")
    return said


def _heard(running: subprocess.Popen[str]) -> tuple[str, str]:
    """Return what git says; raises GitError where it takes too long."""
    try:
        return running.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        running.terminate()  # it takes its locks away, which it could not where it were killed
        try:
            running.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            running.kill()
        raise GitError(f"git did not answer within {_PATIENCE:.0f} seconds") from None
