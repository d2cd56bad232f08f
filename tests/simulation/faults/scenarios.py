"""The scenarios of the fault matrix: a device's lifecycle from its first connection to its revocation, and users'
requests. Each scenario starts from a settled initial state, and consists of an event or a request and all of its
effects (the commissioner's work, devices' reactions, reports of arrivals).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests import sns_messages
from tests.simulation.faults import api_requests, claiming, initial_states, shadows, standbys, transfers
from tests.simulation.faults.devices import EVENTS, A, B, Fleet, arrival_of
from tests.simulation.faults.initial_states import ONE, TWO, C
from tests.simulation.faults.refused_certificates import REFUSED, refused_until_the_name_was_free
from tests.simulation.faults.setup import InitialState


@dataclass(frozen=True)
class Scenario:
    """`action` runs in the lobby in its `initial_state`. `reason` is the device's reason at the end.

    `repeatable`: the action has an effect each time (a retry adds an attempt to the history), so a repeated request may
    leave more history. `superseded`: a claim is replaced before it is carried out, and anything that was registered for
    it is inactive; users' calls get no faults, because the commissioner could then run first. `fails`: only calls whose
    name contains this text get faults, because another scenario has the same other calls.
    """

    name: str
    initial_state: InitialState
    action: Callable[[Fleet], None]
    reason: str | None = None
    repeatable: bool = False
    superseded: bool = False
    fails: str = ""


def _onboard(fleet: Fleet) -> None:
    """From the first connection to the arrival."""
    fleet.power_on(ONE)
    fleet.cloud.settle()
    api_requests.claim(fleet, ONE, A)


def _connect_three_times(fleet: Fleet) -> None:
    """The device connects again before it is admitted. One attempt is delivered alone, two together."""
    fleet.power_on(ONE)
    fleet.act()
    fleet.connect_again(ONE)
    fleet.connect_again(ONE)


def _claimed_and(then: Callable[[Fleet], None]) -> Callable[[Fleet], None]:
    """A claim, and another change before the commissioner has processed it."""

    def action(fleet: Fleet) -> None:
        api_requests.claim(fleet, ONE, A)
        then(fleet)

    return action


def _confirm(fleet: Fleet) -> None:
    request: dict[str, Any] = json.loads((EVENTS / "subscription_confirmation.json").read_text())
    fleet.cloud.send(sns_messages.signed(request))


def _connect_and_disconnect(fleet: Fleet) -> None:
    fleet.report_connection(ONE, "connected")
    fleet.report_connection(ONE, "disconnected")


def _take_over(fleet: Fleet) -> None:
    """A target reports that a connection was ended by another one with the same client id."""
    report = arrival_of(fleet.devices[ONE], A, fleet.clock())
    at = int(fleet.clock().timestamp() * 1000)
    message = {**json.loads(report["Message"]), "reason": "DUPLICATE_CLIENTID", "session": "session 1", "at": at}
    fleet.cloud.send(sns_messages.signed(report | {"Message": json.dumps(message)}))


def _pause_and_resume(fleet: Fleet) -> None:
    api_requests.pause(fleet, A)
    api_requests.resume(fleet, A)


_ADMITTED: Final = (
    Scenario("a valid certificate connects and says hello", initial_states.unconnected, lambda f: f.power_on(ONE)),
    Scenario(
        "a device that was claimed before connects", initial_states.claimed_unconnected, lambda f: f.power_on(ONE)
    ),
    Scenario("a device whose serial number is claimed connects", claiming.claimed_by_serial, lambda f: f.power_on(ONE)),
    Scenario("three connection attempts before the admission", initial_states.unconnected, _connect_three_times),
    Scenario("a late connection attempt of an admitted device", initial_states.waiting, lambda f: f.connect_again(ONE)),
    Scenario("from the first connection to the arrival", initial_states.unconnected, _onboard),
    Scenario("hello while waiting", initial_states.waiting_for_minutes, lambda f: f.say_hello(ONE)),
    Scenario("hello once it has arrived", initial_states.arrived, lambda f: f.say_hello(ONE)),
    Scenario("hello of a device that fell back", initial_states.arrived_long_ago, lambda f: f.say_hello(ONE)),
    Scenario(
        "hello of a revoked device",
        initial_states.revoked_with_an_active_certificate,
        lambda f: f.say_hello(ONE),
        repeatable=True,
    ),
)
_BY_CLAIM: Final = (
    Scenario("a device joins by claim", claiming.enrolled, claiming.provision),
    Scenario("a device joins by claim and is claimed by its rule", claiming.enrolled_for_a_target, claiming.provision),
    Scenario("a device is denied at the door by claim", claiming.enrolled_for_others, claiming.provision),
    Scenario("a second key of a serial number", claiming.joined, lambda f: claiming.provision(f, 1)),
)
_CLAIMED: Final = (
    Scenario("claim before the first connection", initial_states.unconnected, lambda f: api_requests.claim(f, ONE, A)),
    Scenario("claim of a waiting device", initial_states.waiting, lambda f: api_requests.claim(f, ONE, A)),
    Scenario("v0.1's claim of a waiting device", initial_states.waiting, lambda f: api_requests.add(f, ONE, A)),
    Scenario(
        "claim for a target that requires a presence code",
        initial_states.waiting_where_a_code_is_asked_for,
        lambda f: api_requests.claim(f, ONE, A),
    ),
    Scenario("confirmation with the presence code", initial_states.proving, lambda f: api_requests.confirm(f, ONE)),
    Scenario("a new presence code", initial_states.proving, lambda f: api_requests.retry(f, ONE), repeatable=True),
    Scenario("claim of several devices", initial_states.three, lambda f: api_requests.claim_all(f, A)),
    Scenario(
        "retry after a failure",
        initial_states.failed_without_a_policy,
        lambda f: api_requests.retry(f, ONE),
        repeatable=True,
    ),
)
_MOVES: Final = (
    Scenario("move to another target", initial_states.arrived, lambda f: api_requests.move(f, ONE, B)),
    Scenario("v0.1's claim for another target", initial_states.arrived, lambda f: api_requests.add(f, ONE, B)),
    Scenario("move back", initial_states.moved, lambda f: api_requests.move(f, ONE, A)),
    Scenario(
        "another profile in the same target",
        initial_states.with_cameras_in_a,
        lambda f: api_requests.move(f, ONE, A, "camera"),
    ),
    Scenario(
        "move before the first connection", initial_states.claimed_unconnected, lambda f: api_requests.move(f, ONE, B)
    ),
    Scenario("release", initial_states.arrived, lambda f: api_requests.release(f, ONE)),
    Scenario(
        "release before the first connection",
        initial_states.claimed_unconnected,
        lambda f: api_requests.release(f, ONE),
    ),
    Scenario("claim of the target just left", initial_states.released, lambda f: api_requests.claim(f, ONE, A)),
)
_CONCURRENT: Final = tuple(
    Scenario(f"claim, and {change} at once", initial_states.waiting, _claimed_and(then), reason, superseded=True)
    for change, then, reason in (
        ("release", lambda f: api_requests.release(f, ONE), None),
        ("move", lambda f: api_requests.move(f, ONE, B), None),
        ("revocation", lambda f: api_requests.revoke(f, ONE), "REVOKED"),
    )
)
_REVOCATIONS: Final = (
    Scenario(
        "revocation before the first connection", initial_states.unconnected, lambda f: api_requests.revoke(f, ONE)
    ),
    Scenario(
        "revocation of a waiting device", initial_states.waiting, lambda f: api_requests.revoke(f, ONE), "REVOKED"
    ),
    Scenario(
        "revocation of an arrived device", initial_states.arrived, lambda f: api_requests.revoke(f, ONE), "REVOKED"
    ),
    Scenario(
        "retry of a device that its target deactivated",
        initial_states.deactivated_by_its_target,
        lambda f: api_requests.retry(f, ONE),
        repeatable=True,
    ),
    Scenario(
        "retry of a refused device",
        refused_until_the_name_was_free,
        lambda f: api_requests.retry(f, TWO),
        repeatable=True,
    ),
)
_TARGETS: Final = (
    Scenario(
        "a target is registered", initial_states.unconnected, lambda f: api_requests.register(f, C, "another target")
    ),
    Scenario("a target is renamed", initial_states.unconnected, lambda f: api_requests.register(f, A, "another name")),
    Scenario("a target's topic asks for confirmation", initial_states.unconnected, _confirm),
    Scenario("a target is checked", initial_states.unconnected, lambda f: api_requests.check(f, A)),
    Scenario("a user reads", initial_states.arrived, lambda f: api_requests.look(f, ONE)),
)


_CONNECTIONS: Final = (
    Scenario("a device is online", initial_states.waiting, lambda f: f.report_connection(ONE, "connected")),
    Scenario("a device goes offline", initial_states.waiting, _connect_and_disconnect),
    Scenario(
        "AWS IoT refuses a client id",
        initial_states.waiting,
        lambda f: f.report_connection(ONE, "connect_failed", client_id="another"),
    ),
    Scenario("two clients share an identity in a target", initial_states.arrived, _take_over),
)
_STANDBYS: Final = (
    Scenario("claim for a target that has a standby", standbys.waiting, lambda f: api_requests.claim(f, ONE, A)),
    Scenario("release of a prepared device", standbys.prepared, lambda f: api_requests.release(f, ONE)),
    Scenario(
        "revocation of a prepared device", standbys.prepared, lambda f: api_requests.revoke(f, ONE), reason="REVOKED"
    ),
    Scenario("move of a prepared device to its standby", standbys.prepared, lambda f: api_requests.move(f, ONE, B)),
    Scenario("hello of a device of an evacuated target", standbys.evacuated, standbys.fall_back, repeatable=True),
    Scenario("a device goes to its standby by itself", standbys.prepared, standbys.appear_in_the_standby),
    # A report that is delivered again within the tolerance of its times is read as a new visit of the standby.
    Scenario(
        "a device has the route of an ended evacuation",
        standbys.returned,
        standbys.appear_in_the_standby,
        repeatable=True,
    ),
)
_SHADOWS: Final = (
    Scenario("move with its shadows", shadows.in_a, lambda f: api_requests.move_with_shadows(f, ONE, B, "MIGRATE")),
    Scenario(
        "move with its shadows to where the device was before",
        shadows.in_both,
        lambda f: api_requests.move_with_shadows(f, ONE, B, "MIGRATE"),
    ),
    Scenario(
        "move with its large shadow to where the device was before",
        shadows.large_in_both,
        lambda f: api_requests.move_with_shadows(f, ONE, B, "MIGRATE"),
        fails="Shadow",
    ),
    Scenario(
        "move after which its shadows are deleted",
        shadows.in_both,
        lambda f: api_requests.move_with_shadows(f, ONE, B, "RESET"),
    ),
)
_TRANSFERS: Final = (
    Scenario("a device is offered to another lobby", initial_states.arrived, transfers.offer),
    Scenario("an offer is withdrawn", transfers.offered, transfers.withdraw, repeatable=True),
    Scenario("a transfer of an arrived device is completed", transfers.offered, transfers.complete, repeatable=True),
    Scenario(
        "a transfer of a waiting device is completed",
        transfers.offered_while_waiting,
        transfers.complete,
        repeatable=True,
    ),
    Scenario(
        "a transfer is completed whose new lobby has registered the device in the same target",
        transfers.registered_by_its_new_lobby,
        transfers.complete,
        repeatable=True,
    ),
    Scenario(
        "claim of a device that its former lobby has left in the same target",
        transfers.left_by_its_former_lobby,
        lambda f: api_requests.claim(f, ONE, A),
    ),
    Scenario("a completed transfer is withdrawn", transfers.transferred, transfers.withdraw, repeatable=True),
    Scenario("release of an offered device", transfers.offered, lambda f: api_requests.release(f, ONE)),
    Scenario("hello of a transferred device", transfers.transferred, lambda f: f.say_hello(ONE)),
)
_LANES: Final = (
    Scenario("a target is paused", initial_states.waiting, lambda f: api_requests.pause(f, A)),
    Scenario("a target is paused and continues", initial_states.waiting, _pause_and_resume),
)


def _refused(code: str) -> Scenario:
    initial_state, name = REFUSED[code]
    return Scenario(f"refused: {code}", initial_state, lambda fleet: fleet.power_on(name), code)


SCENARIOS: Final = (
    *_ADMITTED,
    *_BY_CLAIM,
    *map(_refused, REFUSED),
    *_CLAIMED,
    *_MOVES,
    *_CONCURRENT,
    *_REVOCATIONS,
    *_TARGETS,
    *_CONNECTIONS,
    *_STANDBYS,
    *_SHADOWS,
    *_TRANSFERS,
    *_LANES,
)
