"""Progress for people: nothing is said before there is a rate to say."""

from __future__ import annotations

import pytest

from compliance.cli.progress import Bar


def test_short_work_says_nothing_and_long_work_a_true_rate(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Bar("scan")
    bar(10, 74)
    assert capsys.readouterr().err == ""
    bar.started -= 20
    bar.shown -= 20
    bar(30, 74)
    assert capsys.readouterr().err == "scan: 30 of 74, 1/s, 44 s left\n"


def test_work_that_is_all_done_by_the_first_look_has_no_rate(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Bar("audit")
    bar.shown -= 20
    bar(24, 24)
    assert capsys.readouterr().err == "audit: 24 of 24\n"
