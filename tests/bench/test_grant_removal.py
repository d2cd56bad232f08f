"""Tests of the removal of grants: the remaining statements, the jobs that `LIKELY` names, and the verdicts."""

import json
from pathlib import Path

import pytest

from tests.bench.iam.grants import Grant, UsedPermissions, subtract
from tests.bench.iam.removal import JOBS, LIKELY, UNCHECKED, USED, Verdict, check_use, likely, lines

STATEMENT = {"Sid": "Lists", "Effect": "Allow", "Action": ["a:One", "a:Two"], "Resource": ["x", "y"]}


def grant(action: str = "a:One", resource: str = "x", sid: str = "Lists") -> Grant:
    return Grant("role", action, resource, "policy", sid)


def test_subtracting_a_grant_keeps_everything_else() -> None:
    assert subtract(STATEMENT, grant()) == [
        {**STATEMENT, "Action": ["a:Two"]},
        {**STATEMENT, "Sid": "ListsRest", "Action": ["a:One"], "Resource": ["y"]},
    ]


def test_subtracting_the_only_grant_removes_the_statement() -> None:
    assert subtract({"Effect": "Allow", "Action": "a:One", "Resource": "x"}, grant(sid="")) == []


def test_a_statement_without_the_grant_is_unchanged() -> None:
    for other in (grant(action="a:Three"), grant(resource="z"), grant(sid="Others")):
        assert subtract(STATEMENT, other) == [STATEMENT]


def test_every_likely_job_exists() -> None:
    assert set(LIKELY.values()) < set(JOBS)
    assert likely(grant()) == next(iter(JOBS)) == "onboard"
    assert not {action for _, action, _ in LIKELY} & set(UNCHECKED)


def test_a_grant_that_no_job_needs_is_excess_unless_it_is_unchecked() -> None:
    verdicts = [Verdict(grant(), "onboard", "admitted"), Verdict(grant()), Verdict(grant(), unchecked="the emulator")]
    assert [verdict.is_excess for verdict in verdicts] == [False, True, False]
    assert [line[3] for line in lines(verdicts)] == ["onboard", "EXCESS", "not checked here"]


@pytest.mark.parametrize(
    ("role", "action", "resource", "is_used"),
    [
        ("role", "a:One", "arn:x/1", True),
        ("role", "a:One", "*", True),
        ("other", "a:One", "arn:x/1", False),
        ("role", "a:Two", "arn:x/1", False),
        ("role", "a:One", "arn:y/1", False),
    ],
)
def test_a_grant_that_no_job_uses_is_excess(
    tmp_path: Path, role: str, action: str, resource: str, is_used: bool
) -> None:
    path = tmp_path / "permissions.jsonl"
    path.write_text(json.dumps({"role": role, "action": action, "resource": resource}) + "\n")
    verdict = check_use(grant(resource="arn:x/*"), UsedPermissions.read(path))
    assert (verdict.summary, verdict.is_excess) == ((USED, False) if is_used else ("EXCESS", True))


def test_an_unchecked_grant_need_not_be_used(tmp_path: Path) -> None:
    path = tmp_path / "permissions.jsonl"
    path.touch()
    assert check_use(grant(action="logs:PutLogEvents"), UsedPermissions.read(path)).unchecked
