"""Removes a target from an account and Region: devices, then the stack, then the account's role if it was the last.

Every step can be repeated. While the lobby may register devices, the list of devices is read again until it is empty.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from infra import stack_names
from infra.errors import InfraError
from infra.teardown import fleet, inventory
from infra.teardown.regions import regions_with
from infra.teardown.registry import NOT_FOUND, RETRIES, Registry, code_of
from infra.teardown.stacks import IOT_POLICY, POLL, ROLE, THING_TYPE, Stack, upload_to
from infra.teardown.subscriptions import TOPIC, delete_unconfirmed
from lobby.deployment import NAMES
from lobby.domain.targets.target import TARGET_ROLE
from lobby.names import Target

Report = Callable[[str], None]
ROUNDS: Final = 3
"""How often the devices are listed. The next list contains devices that were registered during a removal."""
_DEPRECATED: Final = timedelta(minutes=5)
"""How long a thing type must have been deprecated (API reference, DeleteThingType)."""


class NotRemoved(InfraError):
    """The target or the lobby could not be removed completely: DEVICES_LEFT, POLICY_IN_USE, ROLE_IN_STACK,
    RULES_LEFT."""


class TargetRemoval:
    """One run in `where`. `session` is a boto3 session of the account. `sleep` waits for seconds, and a stack is polled
    every `poll` seconds. `regions` are the Regions that the account may use, by default all that have AWS IoT."""

    def __init__(
        self,
        session: Any,
        where: Target,
        report: Report,
        sleep: Callable[[float], None] = time.sleep,
        poll: float = POLL,
        regions: Sequence[str] | None = None,
    ) -> None:
        self._session, self._where, self._report, self._sleep, self._poll = session, where, report, sleep, poll
        self._regions = regions
        name = stack_names.TARGET
        upload = upload_to(session, where, name)
        self._stack = Stack(session.client("cloudformation"), name, sleep, poll, upload)
        self.registry = Registry(session.client("iot", config=RETRIES), where, sleep=sleep)

    def run(self, *, keep_devices: bool) -> None:
        """Remove the target. Raise `InfraError`; what was removed stays removed, and a repetition continues."""
        self._require_own_role_stack()
        if keep_devices:
            if self._stack.status() is not None:
                self._delete_unconfirmed_topic()
                self._stack.reduce_for_devices(self._report)
        else:
            types = self._deprecate_thing_types()
            self._remove_devices()
            self._wait_for_thing_types(types)
            self._delete_unconfirmed_topic()
            self._stack.delete(self._report)
        self._remove_role()

    def _require_own_role_stack(self) -> None:
        """Raise `NotRemoved` if the stack of an earlier version contains the role and other Regions still use it."""
        if TARGET_ROLE not in self._stack.resources(ROLE):
            return
        found = regions_with(self._session, [stack_names.TARGET], self._regions)
        others = [each for each in found.regions[stack_names.TARGET] if each != self._where.region]
        if others:
            message = (
                f"got a stack that contains the role of {', '.join(others)}, too; run ./deploy.sh target here first"
            )
            raise NotRemoved("ROLE_IN_STACK", message)

    def _delete_unconfirmed_topic(self) -> None:
        delete_unconfirmed(self._session.client("sns"), self._stack.resources(TOPIC), self._report)

    def _remove_devices(self) -> None:
        policies = self._stack.resources(IOT_POLICY)
        remove_devices(self.registry, lambda: inventory.of_target(self.registry, policies, NAMES), self._report)

    def _deprecate_thing_types(self) -> list[str]:
        types = self._stack.resources(THING_TYPE)
        for name in types:
            if self._thing_type(name).get("deprecated") is False:
                self.registry.call_if_present("DeprecateThingType", thingTypeName=name)
        return types

    def _wait_for_thing_types(self, types: list[str]) -> None:
        for name in types:
            metadata = self._thing_type(name)
            if not metadata.get("deprecated"):
                continue  # deleted by another process
            left = (metadata["deprecationDate"] + _DEPRECATED - datetime.now(UTC)).total_seconds()
            if left > 0:
                self._report(f"waiting {left:.0f} s: AWS deletes the thing type {name} 5 minutes after its deprecation")
                self._sleep(left)

    def _thing_type(self, name: str) -> Any:
        try:
            return self.registry.call("DescribeThingType", thingTypeName=name)["thingTypeMetadata"]
        except ClientError as error:
            if code_of(error) != NOT_FOUND:
                raise
            return {}

    def _remove_role(self) -> None:
        found = regions_with(self._session, [stack_names.TARGET, stack_names.ROLE], self._regions)
        others = [each for each in found.regions[stack_names.TARGET] if each != self._where.region]
        if others or found.unknown:
            why = f"targets in {', '.join(others)}" if others else f"no answer from {', '.join(found.unknown)}"
            self._report(f"the role {TARGET_ROLE} stays: {why}")
            return
        for region in found.regions[stack_names.ROLE]:
            client = self._session.client("cloudformation", region_name=region)
            Stack(client, stack_names.ROLE, self._sleep, self._poll).delete(self._report)


def remove_devices(registry: Registry, find: Callable[[], inventory.Inventory], report: Report) -> None:
    """Remove what `find` returns until it returns nothing. Raise `NotRemoved` DEVICES_LEFT or POLICY_IN_USE."""
    failures: list[str] = []
    for _ in range(ROUNDS):
        found = find()
        if not found.registrations:
            break
        failures = fleet.remove_all(registry, found.registrations, report)
        for failure in failures[:20]:
            report(f"  not removed: {failure}")
    else:
        found = find()
    if found.registrations:
        raise NotRemoved("DEVICES_LEFT", f"got {len(found.registrations)} devices left; repeat the command")
    if found.foreign:
        named = ", ".join(found.foreign[:5])
        message = f"got a policy of the lobby attached to {named}, which is not the lobby's; detach it, then repeat"
        raise NotRemoved("POLICY_IN_USE", f"{message} ({len(found.foreign)} in total)")
