"""Tests of the removal of grants: the remaining statements, the jobs that `LIKELY` names, and the verdicts."""

from tests.bench.iam.grants import Grant, subtract
from tests.bench.iam.removal import JOBS, LIKELY, UNCHECKED, Verdict, likely, lines

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
