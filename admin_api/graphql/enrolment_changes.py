"""The arguments of `changeEnrolment`. The value of an omitted argument does not change. Null removes a limit."""

from admin_api.graphql.context import ABSENT, given
from admin_api.graphql.enrolment_renewal import RenewalPolicyInput, policy_entered
from admin_api.graphql.enrolment_signer import SignerInput, signer_entered
from admin_api.operations import enrolments as rules


def limit_change(
    limit: int | None,
    starts: str | None,
    ends: str | None,
    repeat: str | None,
    policy: RenewalPolicyInput | None,
    signer: SignerInput | None,
) -> rules.LimitChange:
    """Return the change for the arguments. The value of an omitted argument does not change. Null removes a limit."""
    limits = {"limit": limit, "starts": starts, "ends": ends}
    arguments = limits | {"repeat": repeat, "renewal": policy, "signer": signer}
    names = frozenset(name for name, value in arguments.items() if value is not ABSENT)
    entered = policy_entered(given(policy)), signer_entered(given(signer))
    return rules.LimitChange(names, given(limit), given(starts), given(ends), given(repeat), *entered)
