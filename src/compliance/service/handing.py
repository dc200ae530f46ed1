"""Law files handed in at the law desk: one commit each in the git work tree where they lie (`compliance serve --law-desk`).

The file is written aside and renamed; where git refuses the commit, the work tree is as it was. What somebody else has
changed and not committed is never touched, nor anything but the one file.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from compliance.errors import UsageError
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


def commit(folder: Path, name: str, text: str, read: str, who: str, why: str) -> str:
    """Commit the text of a law file as `who`; return the commit. `read`: the digest of the text that was edited.

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
        _put(file, text)
        try:
            _git(folder, "add", "--", spec)
            author = f"{_plain(who)} <>"
            message = f"{name}: {_plain(why)}\n\nSigned-off-by: {author}\n"
            _git(folder, "commit", "--quiet", "--author", author, "--message", message, "--only", "--", spec)
        except GitError:
            _undo(folder, file, spec, old)
            raise
        return _git(folder, "rev-parse", "HEAD").strip()
    except GitError as error:
        raise Refusal("conflict", f"git has not committed it, the file is as it was: {error}") from None


def _undo(folder: Path, file: Path, spec: str, old: str) -> None:
    if old:
        _put(file, old)
    else:
        file.unlink(missing_ok=True)
    _git(folder, "reset", "--quiet", "--", spec)


def _put(file: Path, text: str) -> None:
    """Write a file aside, then rename it into place."""
    file.parent.mkdir(exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=file.parent, prefix=".law-desk-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        Path(aside).chmod(file.stat().st_mode & 0o777 if file.exists() else 0o644)
        Path(aside).replace(file)
    except OSError:
        Path(aside).unlink(missing_ok=True)
        raise


def _plain(text: str) -> str:
    """Return a name or a sentence that fits into one line of a commit."""
    return " ".join("".join(" " if letter in "<>" or not letter.isprintable() else letter for letter in text).split())


def _git(folder: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "--literal-pathspecs", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(
            command, env={**environment, **_SERVICE, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8"}, timeout=_PATIENCE,
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except FileNotFoundError:
        raise GitError("git is not installed") from None
    except subprocess.TimeoutExpired:
        raise GitError(f"git did not answer within {_PATIENCE:.0f} seconds") from None
    if done.returncode:
        raise GitError(
            (done.stderr or done.stdout).strip().partition("\n")[0][:300] or f"git ended with {done.returncode}"
        )
    return done.stdout
