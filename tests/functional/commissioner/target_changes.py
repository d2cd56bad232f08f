"""Changes in a target that make it differ from the ledger, each with the code of its difference."""

from collections.abc import Callable

from moto.iot.models import IoTBackend

from commissioner.reconciliation.comparison import DifferenceCode
from commissioner.target_gateway.registry import certificate_arn
from tests.functional.commissioner.lobby_with_targets import ONE, THREE, A, LobbyWithTargets, make_thing, statuses

ARN = certificate_arn(A, ONE)


def missing(lobby: LobbyWithTargets, iot: IoTBackend) -> None:
    del iot.principal_policies[(ARN, "device-lobby-default")], iot.principal_things[(ARN, "sensor-1")]
    del iot.certificates[ONE]


def inactive(lobby: LobbyWithTargets, iot: IoTBackend) -> None:
    iot.certificates[ONE].status = "INACTIVE"


def revoked(lobby: LobbyWithTargets, iot: IoTBackend) -> None:
    iot.certificates[ONE].status = "REVOKED"


def no_thing(lobby: LobbyWithTargets, iot: IoTBackend) -> None:
    iot.principal_things.pop((ARN, "sensor-1"))
    iot.things = type(iot.things)({arn: each for arn, each in iot.things.items() if each.thing_name != "sensor-1"})


def unbound(lobby: LobbyWithTargets, iot: IoTBackend) -> None:
    iot.principal_things.pop((ARN, "sensor-1"))


def of_another(lobby: LobbyWithTargets, iot: IoTBackend) -> None:
    next(each for each in iot.things.values() if each.thing_name == "sensor-1").attributes["certid"] = THREE


def claim_changed(lobby: LobbyWithTargets, iot: IoTBackend) -> None:
    next(each for each in iot.things.values() if each.thing_name == "sensor-1").attributes["claim"] = "theirs"


def elsewhere(lobby: LobbyWithTargets, iot: IoTBackend) -> None:
    make_thing(iot, "theirs")
    iot.attach_thing_principal("theirs", ARN)


def no_policy(lobby: LobbyWithTargets, iot: IoTBackend) -> None:
    iot.detach_policy("device-lobby-default", ARN)


def other_policy(lobby: LobbyWithTargets, iot: IoTBackend) -> None:
    lobby.deploy_policy(A, "camera")
    iot.attach_policy("device-lobby-camera", ARN)


def orphaned(lobby: LobbyWithTargets, iot: IoTBackend) -> None:
    """Move the device to another target, and activate its old certificate again."""
    lobby.deliver(lobby.move())
    assert statuses() == ("ACTIVE", "INACTIVE", "ACTIVE")
    iot.certificates[ONE].status = "ACTIVE"


def revoked_and_active(lobby: LobbyWithTargets, iot: IoTBackend) -> None:
    lobby.deliver(lobby.revoke())
    iot.certificates[ONE].status = "ACTIVE"


CHANGES: dict[Callable[[LobbyWithTargets, IoTBackend], None], DifferenceCode] = {
    missing: DifferenceCode.CERTIFICATE_MISSING,
    inactive: DifferenceCode.CERTIFICATE_INACTIVE,
    revoked: DifferenceCode.CERTIFICATE_REVOKED,
    no_thing: DifferenceCode.THING_MISSING,
    unbound: DifferenceCode.THING_UNBOUND,
    of_another: DifferenceCode.THING_OF_ANOTHER,
    claim_changed: DifferenceCode.THING_CLAIM,
    elsewhere: DifferenceCode.THING_ELSEWHERE,
    no_policy: DifferenceCode.POLICY_MISSING,
    other_policy: DifferenceCode.POLICY_OF_ANOTHER_PROFILE,
    orphaned: DifferenceCode.ORPHANED,
    revoked_and_active: DifferenceCode.ORPHANED,
}
