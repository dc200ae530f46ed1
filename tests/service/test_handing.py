"""The law desk that commits: one checked file, one commit, one entry of the ledger; or nothing at all."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from compliance.errors import UsageError
from compliance.law.knowledge import load
from compliance.service import handing
from compliance.service.api import create_app
from compliance.service.keys import entries, make
from compliance.service.problems import Refusal
from compliance.service.settings import Settings, from_environment
from service.serving import LAWS

NAME = "XA/medical-images-act"
ACT = (LAWS / f"{NAME}.yaml").read_text()
EDITED = ACT.replace("Medical Images Act", "Act on Medical Images", 1)
AUTHOR = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@x.example", "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@x.example"}


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *arguments], env={**os.environ, **AUTHOR}, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def folder(tmp_path) -> Path:
    """The laws of the tests in a folder of a repository."""
    made = tmp_path / "repository" / "laws"
    shutil.copytree(LAWS, made)
    git(tmp_path / "repository", "init", "-q")
    git(made, "add", "-A")
    git(made, "commit", "-qm", "first")
    return made


@pytest.fixture
def desk(store, folder):
    settings = from_environment({}, rate=0, law_desk=folder)
    with TestClient(create_app(settings, load(folder, use_compiled=False), store), client=("127.0.0.1", 50000)) as client:
        yield client


def form(desk, text: str = EDITED, name: str = NAME, **more: str) -> dict[str, str]:
    page = desk.get("/desk.html", params={"id": name}).text
    read = re.search(r'name="read" value="([^"]*)"', page)[1]
    return {"id": name, "text": text, "read": read, "do": "commit", "why": "the title as it was published", **more}


def committed(store) -> list[dict]:
    return [one for one in map(json.loads, entries(store, 0)) if one["act"] == "law.committed"]


def as_it_was(folder: Path) -> bool:
    return git(folder, "log", "--format=%s").split("\n")[0] == "first" and git(folder, "status", "--porcelain") == ""


def test_a_checked_file_is_one_commit_and_one_entry(desk, store, folder):
    assert 'id="commit"' in desk.get("/desk.html", params={"id": NAME}).text
    (folder / "XA" / "notes.txt").write_text("somebody's own, not committed")
    answer = desk.post("/desk.html", data=form(desk), follow_redirects=False)
    assert answer.status_code == 303, answer.text
    assert git(folder, "log", "-1", "--format=%an|%s") == f"this machine|{NAME}: the title as it was published\n"
    assert "Signed-off-by: this machine" in git(folder, "log", "-1", "--format=%B")
    assert git(folder, "show", "--name-only", "--format=").split() == [f"laws/{NAME}.yaml"]
    assert git(folder, "show", f"HEAD:laws/{NAME}.yaml") == EDITED == (folder / f"{NAME}.yaml").read_text()
    assert git(folder, "status", "--porcelain") == "?? laws/XA/notes.txt\n"
    (entry,) = committed(store)
    assert (entry["actor"], entry["subject"]) == ("this machine", NAME)
    assert entry["body"]["commit"] == git(folder, "rev-parse", "HEAD").strip()
    assert entry["body"]["digest"] == handing.digest_of(EDITED) and entry["body"]["signed_off_by"] == "this machine"
    page = desk.get("/desk.html", params={"id": NAME}).text
    assert "by this machine on 20" in page and "Act on Medical Images" in page


def test_a_new_file_is_committed(desk, folder):
    text = ACT.replace("Medical Images Act", "Another Act", 1)
    answer = desk.post("/desk.html", data=form(desk, text, "XA/another-act"), follow_redirects=False)
    assert answer.status_code == 303, answer.text
    assert git(folder, "show", "--name-status", "--format=").split() == ["A", "laws/XA/another-act.yaml"]
    assert "Another Act" in desk.get("/desk.html", params={"id": "XA/another-act"}).text


@pytest.mark.parametrize("why_not", ["cases", "shape", "dirty", "stale", "same", "no reason", "name", "hook"])
def test_what_is_not_in_order_leaves_everything_as_it_was(desk, store, folder, why_not):
    sent = form(desk)
    status, said = 409, ""
    if why_not == "cases":
        status, sent["text"] = 422, ACT.replace("7 years after discharge_date", "3 years after discharge_date")
    elif why_not == "shape":
        status, sent["text"] = 422, ACT.replace("kind: floor", "kind: flor", 1)
    elif why_not == "same":
        sent["text"], said = ACT, "says this already"
    elif why_not == "no reason":
        status, sent["why"] = 422, " "
    elif why_not == "name":
        status, sent["id"] = 422, "../../etc/passwd"
    elif why_not == "stale":
        (folder / f"{NAME}.yaml").write_text(ACT + "\n# by somebody else\n")
        git(folder, "commit", "-qam", "first")
        said = "open it again"
    elif why_not == "dirty":
        (folder / f"{NAME}.yaml").write_text(ACT + "\n# not committed\n")
        sent, said = form(desk), "not committed"
    elif why_not == "hook":
        hook = folder.parent / ".git/hooks/pre-commit"
        hook.write_text("#!/bin/sh\necho 'not on a Friday' >&2\nexit 1\n")
        hook.chmod(0o755)
        said = "not on a Friday"
    answer = desk.post("/desk.html", data=sent, follow_redirects=False)
    assert answer.status_code == status and said in answer.text.replace("&#39;", "'"), answer.text
    if why_not == "dirty":
        assert (folder / f"{NAME}.yaml").read_text().endswith("# not committed\n")
    else:
        assert as_it_was(folder)
    assert committed(store) == [] and not list(folder.rglob(".law-desk-*"))


def test_a_key_without_the_scope_admin_commits_nothing(desk, store, folder):
    sent = form(desk)
    key = {"authorization": "Bearer " + make(store, "auditor", ("audit",))}
    page = desk.get("/desk.html", params={"id": NAME}, headers=key).text
    assert 'id="commit"' not in page and "scope admin" in page
    assert desk.post("/desk.html", data=sent, headers=key, follow_redirects=False).status_code == 403
    assert as_it_was(folder) and committed(store) == []


def test_a_desk_needs_a_work_tree_that_is_the_law_served(tmp_path, folder):
    handing.need_work_tree(folder)
    with pytest.raises(UsageError, match="no git work tree"):
        handing.need_work_tree(tmp_path)
    with pytest.raises(UsageError, match="two folders"):
        from_environment({}, law_desk=folder, laws=tmp_path)
    assert from_environment({"COMPLIANCE_LAW_DESK": str(folder)}).laws == folder
    assert Settings().law_desk is None


def hook(folder: Path, name: str, text: str) -> None:
    made = folder.parent / ".git/hooks" / name
    made.write_text(f"#!/bin/sh\n{text}\n")
    made.chmod(0o755)


def test_a_reason_of_any_length_leaves_nothing_half_done(desk, store, folder):
    answer = desk.post("/desk.html", data=form(desk, why="y" * 300_000), follow_redirects=False)
    assert answer.status_code == 422 and "Allowed: 4,000" in answer.text
    assert as_it_was(folder) and committed(store) == []


def test_where_git_cannot_even_be_started_the_file_is_as_it_was(folder, monkeypatch):
    with pytest.raises(Refusal, match="git has not committed it"):
        handing.commit(folder, NAME, EDITED, handing.digest_of(ACT), "A", "y" * 300_000)
    assert as_it_was(folder)


def test_a_commit_that_was_made_is_told_though_what_follows_it_takes_too_long(desk, store, folder, monkeypatch):
    monkeypatch.setattr(handing, "_PATIENCE", 1.5)
    sent = form(desk)
    hook(folder, "post-commit", "exec sleep 20")
    answer = desk.post("/desk.html", data=sent, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    assert git(folder, "show", f"HEAD:laws/{NAME}.yaml") == EDITED == (folder / f"{NAME}.yaml").read_text()
    assert [one["body"]["commit"] for one in committed(store)] == [git(folder, "rev-parse", "HEAD").strip()]


def test_git_that_is_stopped_leaves_no_lock(desk, store, folder, monkeypatch):
    monkeypatch.setattr(handing, "_PATIENCE", 1.5)
    sent = form(desk)
    hook(folder, "pre-commit", "exec sleep 20")
    assert desk.post("/desk.html", data=sent, follow_redirects=False).status_code == 409
    assert as_it_was(folder) and committed(store) == []
    hook(folder, "pre-commit", "exit 0")
    assert desk.post("/desk.html", data=sent, follow_redirects=False).status_code == 303


def test_a_file_is_given_back_byte_for_byte(desk, folder):
    (folder / f"{NAME}.yaml").write_bytes(ACT.replace("\n", "\r\n").encode())
    git(folder, "commit", "-qam", "first")
    hook(folder, "pre-commit", "exit 1")
    assert desk.post("/desk.html", data=form(desk), follow_redirects=False).status_code == 409
    assert as_it_was(folder) and (folder / f"{NAME}.yaml").read_bytes() == ACT.replace("\n", "\r\n").encode()


def test_the_ledger_has_the_digest_of_what_was_committed_whatever_a_hook_made_of_it(desk, store, folder):
    hook(folder, "pre-commit", f"echo '# by a hook' >> laws/{NAME}.yaml && git add laws/{NAME}.yaml")
    assert desk.post("/desk.html", data=form(desk), follow_redirects=False).status_code == 303
    (entry,) = committed(store)
    assert entry["body"]["digest"] == handing.digest_of(git(folder, "show", f"HEAD:laws/{NAME}.yaml"))


def test_many_hand_in_at_once_and_each_hears_what_became_of_it(desk, store, folder):
    sent = [form(desk, ACT.replace("Medical Images Act", f"Act {n}", 1), f"XA/act-{n % 4}") for n in range(12)]
    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda one: desk.post("/desk.html", data=one, follow_redirects=False).status_code, sent))
    assert sorted(statuses) == [303] * 4 + [409] * 8
    log = git(folder, "log", "--format=%H").split()
    assert len(log) == 5 and {one["body"]["commit"] for one in committed(store)} == set(log[:-1])
    assert git(folder, "status", "--porcelain") == ""


def test_one_idempotency_key_is_one_law_file(desk, store, folder):
    key = {"idempotency-key": "k"}
    text = ACT.replace("Medical Images Act", "Another Act", 1)
    assert desk.post("/desk.html", data=form(desk, text, "XA/another-act"), headers=key, follow_redirects=False).status_code == 303
    assert desk.post("/desk.html", data=form(desk, text, "XA/third-act"), headers=key, follow_redirects=False).status_code == 422
