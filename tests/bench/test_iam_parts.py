"""The bench that takes permissions away: what is left of a statement, and that each job it names is there."""

from tests.bench.iam.grants import Grant, less
from tests.bench.iam.trial import JOBS, LIKELY, UNCHECKED, Verdict, likely, lines

STATEMENT = {"Sid": "Lists", "Effect": "Allow", "Action": ["a:One", "a:Two"], "Resource": ["x", "y"]}


def grant(action: str = "a:One", resource: str = "x", sid: str = "Lists") -> Grant:
    return Grant("role", action, resource, "policy", sid)


def test_a_grant_less_leaves_everything_else() -> None:
    assert less(STATEMENT, grant()) == [
        {**STATEMENT, "Action": ["a:Two"]},
        {**STATEMENT, "Sid": "ListsRest", "Action": ["a:One"], "Resource": ["y"]},
    ]


def test_the_only_grant_of_a_statement_takes_the_statement_with_it() -> None:
    assert less({"Effect": "Allow", "Action": "a:One", "Resource": "x"}, grant(sid="")) == []


def test_a_statement_that_does_not_have_the_grant_stays_as_it_is() -> None:
    for other in (grant(action="a:Three"), grant(resource="z"), grant(sid="Others")):
        assert less(STATEMENT, other) == [STATEMENT]


def test_every_job_that_is_likely_is_one() -> None:
    assert set(LIKELY.values()) < set(JOBS)
    assert likely(grant()) == next(iter(JOBS)) == "onboard"
    assert not {action for _, action, _ in LIKELY} & set(UNCHECKED)


def test_what_no_job_needs_is_in_excess_and_what_nobody_can_tell_is_not() -> None:
    found = [Verdict(grant(), "onboard", "let in"), Verdict(grant()), Verdict(grant(), unchecked="the emulator")]
    assert [verdict.in_excess for verdict in found] == [False, True, False]
    assert [line[3] for line in lines(found)] == ["onboard", "IN EXCESS", "not asked for here"]
