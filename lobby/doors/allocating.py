"""Chooses the target of a device that an enrolment admits, and builds its claim.

The target must be registered, take claims and have the profile. If there is none, or the operator's function fails, the
device is admitted without a claim and waits with the reason. Failures of the lobby's own table are raised, so that the
device is tried again.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from lobby.aws.allocation_hook import HookFailed
from lobby.domain.device import Priority
from lobby.domain.enrolments.allocation import Allocation, Share, share_for
from lobby.domain.enrolments.enrolment import Applicant, Enrolment
from lobby.domain.enrolments.enrolment_admission import Plan
from lobby.domain.targets.target import RegisteredTarget, profile_for
from lobby.domain.transitions import ClaimRequest
from lobby.errors import InvalidInput
from lobby.names import Target, parse_profile, parse_target, shown
from lobby.wire import parse_config

_MAX_TEXT: Final = 300


class NotAllocated(Exception):
    """No target was chosen. The message is the device's."""


class Allocator:
    """`targets` returns all registered targets; `invoke` calls a function of the operator, and raises `HookFailed`."""

    def __init__(
        self, targets: Callable[[], list[RegisteredTarget]], invoke: Callable[[str, Mapping[str, Any]], Any]
    ) -> None:
        self._targets, self._invoke = targets, invoke

    def plan(self, enrolment: Enrolment, applicant: Applicant) -> Plan:
        """Return how `enrolment` admits the device."""
        allocation = enrolment.allocation
        if allocation is None or not allocation.chooses:
            return Plan(enrolment)
        try:
            return Plan(enrolment, self._claim(enrolment, allocation, applicant))
        except NotAllocated as failure:
            return Plan(enrolment, failure=str(failure))

    def _claim(self, enrolment: Enrolment, allocation: Allocation, applicant: Applicant) -> ClaimRequest:
        shares = allocation.shares
        if allocation.function is not None:
            target, allocation = self._ask(allocation.function, enrolment, allocation, applicant)
            shares = (Share(target),)
        known = {each.target: each for each in self._targets()}
        suitable = {target: each for target, each in known.items() if _suits(each, allocation.profile)}
        usable = tuple(share for share in shares if share.target in suitable)
        if not usable:
            wanted = ", ".join(_named(share.target, known.get(share.target)) for share in shares)
            profile = f" and have profile {allocation.profile}" if allocation.profile else ""
            raise NotAllocated(f"got {wanted}, want a registered target that takes claims{profile}; claim the device")
        chosen = suitable[share_for(usable, applicant.name)]
        return ClaimRequest(
            chosen.target,
            profile_for(chosen, allocation.profile),
            allocation.config,
            allocation.presence or chosen.presence,
            Priority.BULK,
        )

    def _ask(
        self, function: str, enrolment: Enrolment, allocation: Allocation, applicant: Applicant
    ) -> tuple[Target, Allocation]:
        """Return the target that the function chooses, and the allocation with the function's profile and configuration
        (docs/enrolments.md, "A function that chooses")."""
        question = {
            "version": 1,
            "enrolment": enrolment.name,
            "model": enrolment.model,
            "certificateId": applicant.certid,
            "thingName": applicant.name,
            "caCertificateId": applicant.ca,
            "subject": dict(applicant.subject),
        }
        try:
            answer = self._invoke(function, question)
        except HookFailed as failure:
            raise NotAllocated(f"{failure}; claim the device") from None
        if not isinstance(answer, dict):
            raise NotAllocated(f"{function} returned {shown(answer)}, want an object; claim the device")
        if isinstance(answer.get("wait"), str):
            raise NotAllocated(shown(answer["wait"], _MAX_TEXT))
        try:
            target = parse_target(answer.get("account"), answer.get("region"))
            profile, config = answer.get("profile"), answer.get("config")
            return target, replace(
                allocation,
                profile=allocation.profile if profile is None else parse_profile(profile),
                config=allocation.config if config is None else parse_config(config),
            )
        except InvalidInput as error:
            raise NotAllocated(f"{function} returned an invalid choice: {error.message}; claim the device") from None


def _suits(target: RegisteredTarget, profile: str | None) -> bool:
    is_open = target.archivedat is None and target.evacuated_at is None and not target.removed
    return is_open and profile in (None, *target.profiles)


def _named(target: Target, registered: RegisteredTarget | None) -> str:
    """Return the text for a target that cannot be chosen. It names an evacuation, because new devices are not sent to
    the standby."""
    if registered is None or registered.evacuated_at is None:
        return str(target)
    return f"{target} (evacuated at {registered.evacuated_at}, its standby is {registered.standby})"
