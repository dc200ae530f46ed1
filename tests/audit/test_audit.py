"""An audit of a small archive: every kind of finding, waivers, baselines, deletions, the report as its reader sees it."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from small import PROFILE, write_small

from compliance.archive.keys import Keys
from compliance.archive.tables import import_table, read_mapping
from compliance.cli.main import cli


@pytest.fixture()
def desk(tmp_path: Path) -> Path:
    return write_small(tmp_path)


def audit(desk: Path, *more: str, out: str = "out"):
    command = ["audit", str(desk / "inv.parquet"), "--profile", str(desk / "profile.yaml"), "--laws", str(desk / "laws"), "--as-of", "2026-11-24", "-o", str(desk / out), "--quiet", *more]
    result = CliRunner().invoke(cli, command, standalone_mode=False)
    assert result.exception is None, result.exception
    lines = (desk / out / "findings.jsonl").read_text().splitlines()
    return result.return_value, [json.loads(line) for line in lines]


def codes(findings, study=None):
    return {f["code"] for f in findings if study in (None, f["study"])}


def test_findings_of_every_study(desk):
    code, found = audit(desk)
    assert code == 1
    assert codes(found, "1.1") == {"kept-too-long"}
    assert codes(found, "1.2") == {"scheduled-early", "lossy-unlawful"}
    assert codes(found, "1.3") == {"duty-open"}
    assert codes(found, "1.4") == codes(found, "1.5") == {"undetermined"}
    assert codes(found, "1.6") == set()
    assert codes(found, "1.7") == {"bad-data", "undetermined"}
    assert [f["norm"] for f in found if f["code"] == "hold-unmatched"] == ["hold:M-2"]


def test_the_same_inputs_give_the_same_bytes(desk):
    audit(desk, out="one")
    audit(desk, out="two")
    assert (desk / "one/findings.jsonl").read_bytes() == (desk / "two/findings.jsonl").read_bytes()


def test_the_report_is_self_contained_safe_and_never_says_compliant(desk):
    audit(desk)
    page = (desk / "out/report.html").read_text()
    assert "<script" not in page and "compliant" not in page.replace("imaging-compliance", "").lower().replace("compliance ", "")
    assert "apparent breach" in page and "could not be determined" in page and "not legal advice" in page
    assert "Roe v. Doe" not in page and "src=" not in page and "no law version adopted" in page
    audit(desk, "--privileged", out="privileged")
    assert "Roe v. Doe" in (desk / "privileged/report.html").read_text()
    rows = list(csv.reader((desk / "out/findings.csv").read_text().splitlines()))
    assert all(not cell.startswith(("=", "+", "@")) for row in rows for cell in row)
    summary = json.loads((desk / "out/summary.json").read_text())
    assert sum(row["studies"] for row in summary["dispositions"]) == 7 == sum(summary["reconciliation"].values())


def test_what_is_held_has_no_year_from_which_it_may_go(desk):
    def told(out: str) -> tuple[int, int]:
        summary = json.loads((desk / out / "summary.json").read_text())
        held = sum(row["studies"] for row in summary["dispositions"] if row["key"] == "held")
        return held, sum(row["studies"] for row in summary["by_year"])

    audit(desk)
    (desk / "profile.yaml").write_text(PROFILE[: PROFILE.index("holds:")])
    audit(desk, out="free")
    held, dated = told("out")
    assert held == 1 and told("free") == (0, dated + 1)


def test_waivers_baseline_and_exit_codes(desk):
    _, found = audit(desk)
    (desk / "waivers.yaml").write_text(
        "waivers:\n  - {match: {code: kept-too-long}, reason: moving house, owner: CIO, until: 2027-01-01}\n"
        "  - {match: {code: lossy-unlawful}, reason: old, owner: CIO, until: 2020-01-01}\n  - {match: {code: conflict}, reason: none, owner: CIO, until: 2027-01-01}\n")
    _, waived = audit(desk, "--waivers", str(desk / "waivers.yaml"), out="w")
    assert {f["code"] for f in waived if f["waived"]} == {"kept-too-long"}
    assert {"waiver-expired", "waiver-dead"} <= codes(waived)
    code, new = audit(desk, "--baseline", str(desk / "out/findings.jsonl"), out="b")
    assert new == [] and code == 0 and found
    assert audit(desk, "--fail-on", "never", out="n")[0] == 0
    assert audit(desk, "--fail-on", "never", "--min-determined", "99", out="m")[0] == 1


def test_past_deletions_are_judged_under_the_law_of_their_day(desk):
    (desk / "log.csv").write_text("study_uid,deleted_on,reason,copies_left\n1.2,2024-05-05,retention,none\n1.2,2024-05-05,moved,\n1.1,2021-01-01,retention,none\n1.6,2025-01-01,retention,none\n1.1,2021-13-01,retention,none\n")
    _, found = audit(desk, "--deleted", str(desk / "log.csv"))
    said = {(f["study"], f["code"]) for f in found if f["message"].startswith("deleted on") or "log line" in f["message"]}
    assert said == {("1.2", "purged-early"), ("1.2", "purge-doubtful"), ("1.6", "purged-under-hold"), ("", "bad-data")}


def test_a_log_of_studies_that_no_inventory_knows_is_judged_without_an_explanation(desk):
    (desk / "profile.yaml").write_text(PROFILE[: PROFILE.index("holds:")])
    (desk / "log.csv").write_text("study_uid,deleted_on,reason,copies_left\n9.9,2024-05-05,retention,none\n")
    audit(desk)
    (desk / "out/findings.jsonl").rename(desk / "before.jsonl")
    _, found = audit(desk, "--deleted", str(desk / "log.csv"), "--baseline", str(desk / "before.jsonl"), out="only")
    assert [(f["study"], f["code"]) for f in found] == [("9.9", "purge-doubtful")]


def test_a_broken_profile_is_told_with_every_fault(desk):
    (desk / "profile.yaml").write_text(PROFILE.replace("facility_type: hospital", "facility_type: hosptal").replace("assume: practical", "assume: practicl"))
    command = ["audit", str(desk / "inv.parquet"), "--profile", str(desk / "profile.yaml"), "--laws", str(desk / "laws"), "-o", str(desk / "x")]
    error = CliRunner().invoke(cli, command, standalone_mode=False).exception
    assert "Did you mean 'practical'" in str(error)


def test_a_profile_is_drafted_from_the_spellings_found(desk):
    text = CliRunner().invoke(cli, ["profile", "new", str(desk / "inv.parquet")], standalone_mode=False).output
    assert 'institution: ["General"]' in text and "6 studies" in text


def test_an_audit_under_keepers_that_nobody_signed_for_says_so(desk):
    (desk / "profile.yaml").write_text(re.sub("decided_by: .*", "decided_by: nobody yet", PROFILE))
    command = ["audit", str(desk / "inv.parquet"), "--profile", str(desk / "profile.yaml"), "--laws", str(desk / "laws"), "-o", str(desk / "x"), "--quiet"]
    assert "Nobody has signed for the keepers of" in CliRunner().invoke(cli, command, standalone_mode=False).stderr


def test_a_work_sheet_is_drawn(desk):
    audit(desk)
    out = CliRunner().invoke(cli, ["sample", str(desk / "out"), "--n", "3"], standalone_mode=False).output
    assert out.count("last day by hand") == 3


def test_decide_answers_every_line_in_order(desk):
    lines = ['{"id": 1, "as_of": "2026-11-24", "facts": {"jurisdiction": "XA-N", "facility_type": "hospital", "record": "image", "study_date": "2020-01-01"}}',
             '{"id": 2, "as_of": "2026-11-24", "facts": {"facility_typ": "x"}}', "not json", '{"id": 4, "facts": {}}']
    (desk / "in.jsonl").write_text("\n".join(lines) + "\n")
    result = CliRunner().invoke(cli, ["decide", str(desk / "in.jsonl"), "--laws", str(desk / "laws")], standalone_mode=False)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.return_value == 2 and [a["id"] for a in answers] == [1, 2, None, 4]
    assert answers[0]["earliest_purge_date"] == "2030-01-02" and answers[0]["retain_through"] == {"earliest": "2030-01-01", "latest": "2030-01-01", "open": False}
    assert "Did you mean 'facility_type'" in str(answers[1]["error"])


def test_what_a_missing_birth_date_would_change():
    result = CliRunner().invoke(cli, ["purge-date", "--laws", "tests/laws", "--jurisdiction", "XA", "--facility-type", "hospital", "--record", "image",
                                      "--modality", "CT", "--study-date", "2012-05-01", "--discharge-date", "2012-05-03", "--as-of", "2026-11-24"], standalone_mode=False)
    assert "born on or before 2000-05-03: may be purged from 2019-05-04" in result.output


def test_an_own_assumption_on_a_column_that_no_norm_asks_about_tells_studies_apart(desk):
    (desk / "list.csv").write_text("uid,day,mods,inst,station\n2.1,,CT,General,A\n2.2,,CT,General,B\n")
    (desk / "map.yaml").write_text("rows: study\ncolumns: {study_uid: uid, study_date: day, modality: mods, institution: inst, station: station}\n")
    import_table(str(desk / "list.csv"), read_mapping(desk / "map.yaml"), desk / "inv.parquet", Keys(b"secret of the tests"), "2026-11-24")
    own = 'assumptions: [{fact: study_date, take: "2012-01-01", when: {station: [B]}, why: the old scanner ran that year}]\n'
    (desk / "profile.yaml").write_text(PROFILE.split("holds:")[0].replace("assume: practical\n", own + "assume: practical\n"))
    _, found = audit(desk)
    assert codes(found, "2.1") == {"undetermined"}
    assert codes(found, "2.2") == {"kept-too-long"}


def test_a_column_that_holds_no_value_of_its_fact_is_told_and_counts_as_unknown(desk):
    (desk / "list.csv").write_text("uid,day,mods,inst,how\n3.1,2010-01-01,CT,General,duplicat\n")
    (desk / "map.yaml").write_text("rows: study\ncolumns: {study_uid: uid, study_date: day, modality: mods, institution: inst, copy: how}\n")
    import_table(str(desk / "list.csv"), read_mapping(desk / "map.yaml"), desk / "inv.parquet", Keys(b"secret of the tests"), "2026-11-24")
    _, found = audit(desk)
    assert codes(found, "3.1") == {"bad-data", "undetermined"}
    assert any("Did you mean 'duplicate'" in f["message"] for f in found)


def test_a_column_of_dates_that_contradict_each_other_is_bad_data_even_where_no_norm_asks(desk):
    (desk / "list.csv").write_text("uid,day,born,mods,inst\n4.1,2010-01-01,2013-01-01,CT,General\n4.2,2010-01-01,1950-01-01,CT,General\n")
    (desk / "map.yaml").write_text("rows: study\ncolumns: {study_uid: uid, study_date: day, birth_date: born, modality: mods, institution: inst}\n")
    import_table(str(desk / "list.csv"), read_mapping(desk / "map.yaml"), desk / "inv.parquet", Keys(b"secret of the tests"), "2026-11-24")
    _, found = audit(desk)
    assert codes(found, "4.1") == {"bad-data"} and codes(found, "4.2") == {"kept-too-long"}


def test_rule_28_dates_of_deidentified_studies_are_unknown_unless_the_profile_vouches_for_them(desk):
    (desk / "list.csv").write_text("uid,day,mods,inst,anon\n5.1,2010-01-01,CT,General,true\n5.2,2010-01-01,CT,General,false\n")
    (desk / "map.yaml").write_text("rows: study\ncolumns: {study_uid: uid, study_date: day, modality: mods, institution: inst, deidentified: anon}\n")
    import_table(str(desk / "list.csv"), read_mapping(desk / "map.yaml"), desk / "inv.parquet", Keys(b"secret of the tests"), "2026-11-24")
    _, found = audit(desk)
    assert codes(found, "5.1") == {"undetermined"} and codes(found, "5.2") == {"kept-too-long"}
    (desk / "profile.yaml").write_text(PROFILE.replace("decided_by: counsel", "decided_by: counsel\n    vouch_dates: true"))
    _, vouched = audit(desk, out="vouched")
    assert codes(vouched, "5.1") == {"kept-too-long"}
