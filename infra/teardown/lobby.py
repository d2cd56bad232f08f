"""Removes the lobby from its account: devices and claim certificates, then the stack. Tables, buckets and the user
pool are retained.

Admissions stop first, so that a device that connects during the removal is not registered again. Every step can be
repeated. `./deploy.sh aws` starts admissions again.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import ClientError

from infra import stack_names
from infra.teardown import inventory
from infra.teardown.registry import NOT_FOUND, RETRIES, Registry, code_of
from infra.teardown.stacks import IOT_POLICY, POLL, Stack
from infra.teardown.target import NotRemoved, remove_devices
from lobby.deployment import NAMES
from lobby.names import Target

Report = Callable[[str], None]
_RULE: Final = "AWS::Events::Rule"
_POOL: Final = "Cognito::UserPool "
_VENDING: Final = NAMES.name("vending")
_ABSENT: Final = (NOT_FOUND, "UnauthorizedException")
"""The errors for a resource that does not exist. A missing rule causes the second one."""


class LobbyRemoval:
    """One run in `where`. `session` is a boto3 session of the account; `sleep` waits for seconds, and a stack is polled
    every `poll` seconds."""

    def __init__(
        self,
        session: Any,
        where: Target,
        report: Report,
        sleep: Callable[[float], None] = time.sleep,
        poll: float = POLL,
    ) -> None:
        self._report, self._where = report, where
        self._stack = Stack(session.client("cloudformation"), stack_names.LOBBY, sleep, poll)
        self._iot = session.client("iot", config=RETRIES)
        self._dynamodb = session.client("dynamodb")
        self._lambda = session.client("lambda")
        self._events = session.client("events")
        self.registry = Registry(self._iot, where, sleep=sleep)

    def run(self, *, keep_devices: bool) -> None:
        """Remove the lobby. Raise `InfraError`; what was removed stays removed, and a repetition continues."""
        self.require_own_rules()
        retained = self._stack.retained()
        self.stop_admissions()
        if keep_devices:
            if self._stack.status() is not None:
                self._stack.reduce_for_devices(self._report)
        else:
            policies = self._stack.resources(IOT_POLICY)
            if policies:
                remove_devices(
                    self.registry,
                    lambda: inventory.of_lobby(self.registry, self._dynamodb, policies),
                    self._report,
                )
            self._stack.delete(self._report)
        for each in retained:
            self._report(f"  retained: {each}")
            if each.startswith(_POOL):
                self._report(f"    to deploy again with its users: --user-pool {each.removeprefix(_POOL)}")
        for each in self.registry.listed("ListCACertificates", "certificates"):
            self._report(f"  retained: CA certificate {each['certificateId']} (lobby-pki unregister)")

    def require_own_rules(self) -> None:
        """Raise `NotRemoved` RULES_LEFT if others have added rules to the event bus: EventBridge deletes no bus with
        rules, so the stack's deletion would fail after the devices are removed."""
        if self._stack.status() is None:
            return
        own = {each.rpartition("|")[2].rpartition("/")[2] for each in self._stack.resources(_RULE)}
        pages = self._events.get_paginator("list_rules").paginate(EventBusName=NAMES.prefix)
        try:
            others = sorted({each["Name"] for page in pages for each in page["Rules"]} - own)
        except self._events.exceptions.ResourceNotFoundException:
            return
        if others:
            named = ", ".join(others[:5])
            bus = f"{NAMES.prefix} in {self._where.region}"
            message = f"got {len(others)} rules of others on the event bus {bus}: {named}; delete them first"
            raise NotRemoved("RULES_LEFT", message)

    def stop_admissions(self) -> None:
        """Close the doors of this Region."""
        _if_present(lambda: self._iot.disable_topic_rule(ruleName=stack_names.REGISTERED_RULE))
        _if_present(lambda: self._iot.update_provisioning_template(templateName=stack_names.TEMPLATE, enabled=False))
        _if_present(
            lambda: self._lambda.put_function_concurrency(FunctionName=_VENDING, ReservedConcurrentExecutions=0)
        )


def _if_present(stop: Callable[[], object]) -> None:
    try:
        stop()
    except ClientError as error:
        if code_of(error) not in _ABSENT:
            raise


def start_admissions(session: Any) -> None:
    """Enable the resources that an interrupted removal has disabled: the topic rule, the template, and the function of
    the vending door."""
    iot = session.client("iot")
    iot.enable_topic_rule(ruleName=stack_names.REGISTERED_RULE)
    iot.update_provisioning_template(templateName=stack_names.TEMPLATE, enabled=True)
    session.client("lambda").delete_function_concurrency(FunctionName=_VENDING)
