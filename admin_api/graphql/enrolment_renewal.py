"""The GraphQL types for the renewal policy of an enrolment."""

import strawberry

from lobby.domain.renewals import renewal


@strawberry.type(description="When the devices of an enrolment renew their certificates.")
class RenewalPolicy:
    maximum_age: int = strawberry.field(description="Days after which a certificate is due.")
    grace: int = strawberry.field(description="Further days after which it is overdue.")


@strawberry.input(description="When the devices of an enrolment renew their certificates.")
class RenewalPolicyInput:
    maximum_age: int = strawberry.field(description="Days after which a certificate is due, 1 to 3650.")
    grace: int = strawberry.field(
        description="Further days after which it is overdue, 1 to 365 and at most the maximum age. A certificate that"
        " expires earlier is due this number of days before."
    )


def policy_from(policy: renewal.RenewalPolicy | None) -> RenewalPolicy | None:
    return RenewalPolicy(maximum_age=policy.maximum_age, grace=policy.grace) if policy else None


def policy_entered(entered: RenewalPolicyInput | None) -> renewal.RenewalPolicy | None:
    """Return the renewal policy of an argument, or None. Raise `InvalidInput` INVALID_RENEWAL."""
    if entered is None:
        return None
    return renewal.parse_policy({"maximum_age": entered.maximum_age, "grace": entered.grace})
