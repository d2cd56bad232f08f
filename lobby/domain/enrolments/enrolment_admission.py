"""The changes of a device that an enrolment admits: pure functions from a row to the new row.

Two events happen together: the device is admitted, and the enrolment's rule claims it. If no target could be chosen, it
is admitted only, and its row has the reason; then it waits like any other device. A claim that a user has made before
has precedence over the rule.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lobby.domain import transitions
from lobby.domain.device import Device
from lobby.domain.enrolments.enrolment import ALLOCATION_FAILED, Enrolment
from lobby.domain.enrolments.enrolment_token import TokenUse
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.names import Region

if TYPE_CHECKING:
    from lobby.domain.identity import Identity


@dataclass(frozen=True)
class Plan:
    """How `enrolment` admits a device. `claim`: the claim that the enrolment's rule makes. `failure`: why no target
    could be chosen. With neither, the device waits for a user's claim. `use`: the use of the token for which the
    device's certificate was issued."""

    enrolment: Enrolment
    claim: ClaimRequest | None = None
    failure: str | None = None
    use: TokenUse | None = None

    def counts(self, before: Device | None) -> bool:
        """Return whether the device counts as a new one of the enrolment. `before` is its row. A device whose
        certificate was replaced is already counted."""
        replaced = self.use.replaces if self.use is not None else None
        return not (is_counted(before, self.enrolment) or is_counted(replaced, self.enrolment))


def is_counted(device: Device | None, enrolment: Enrolment) -> bool:
    """Return whether the enrolment has counted the device."""
    return device is not None and device.enrolment == enrolment.name


def admit(device: Device | None, identity: "Identity", plan: Plan, region: Region, at: str) -> Device:
    """Return the device after the enrolment has admitted it. Nothing changes for a device that was admitted before."""
    admitted = transitions.admit(device, identity, region, at)
    if transitions.was_admitted(device):
        return admitted
    token = plan.use.token.id if plan.use is not None else None
    by = plan.enrolment
    enrolled = replace(admitted, enrolment=by.name, model=by.model, token=token, thing_settings=by.things)
    enrolled = replace(enrolled, claim_defaults=by.claim_defaults)
    if plan.failure is None or admitted.devstate is not State.KNOCKING:
        return enrolled
    return replace(enrolled, reason=ALLOCATION_FAILED, message=plan.failure)


def claim(admitted: Device, plan: Plan, at: str) -> Device | None:
    """Return the admitted device with the claim that the enrolment's rule makes, or None if the rule makes no claim."""
    if plan.claim is None or admitted.devstate is not State.KNOCKING:
        return None
    return transitions.claim(admitted, admitted.certid, plan.claim, plan.enrolment.actor, at)
