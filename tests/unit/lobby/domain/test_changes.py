"""Changes by an operator: the result of each, the required generation, and repetitions without effect."""

import pytest

from lobby.domain import transitions
from lobby.domain.changes import Change, Chosen, Configure, Move, Release, Retry, Revoke, decide
from lobby.domain.commissioner_transitions import fail
from lobby.domain.device import Device, PresenceProof
from lobby.domain.states import State
from lobby.domain.targets.target import RegisteredTarget
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict, LobbyError
from lobby.names import Target
from tests.unit.lobby.domain.proving_devices import proving
from tests.unit.lobby.domain.sample_devices import CERTID, A, B, T, arrived, claimed, commissioned, inlobby, knocking


def registered(target: Target, *profiles: str, archivedat: str | None = None) -> RegisteredTarget:
    return RegisteredTarget(target, "There", "id", profiles or ("default",), "user:ann", T, archivedat=archivedat)


TO_B = Move(registered(B, "default", "camera"))
IN_A = {A: registered(A, "default", "camera")}
CHANGES: dict[str, Change] = {
    "move": TO_B,
    "configure": Configure(IN_A, config={"interval": 5}),
    "release": Release(),
    "revoke": Revoke("stolen"),
}


def after(change: Change, device: Device | None, generation: int | None = None) -> Device | None:
    return decide(change, Chosen(CERTID, generation), device, "user:ann", T)


def code_of(change: Change, device: Device | None, generation: int | None = None) -> str:
    with pytest.raises(LobbyError) as refused:
        after(change, device, generation)
    return refused.value.code


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("generation", [None, 1])
def test_a_change_increases_the_generation_by_one_and_repeating_it_changes_nothing(
    name: str, generation: int | None
) -> None:
    change = CHANGES[name]
    changed = after(change, arrived(), generation)
    assert changed is not None
    assert changed.generation == arrived().generation + 1
    assert after(change, changed, generation) is changed


@pytest.mark.parametrize("name", [*CHANGES, "retry"])
@pytest.mark.parametrize("generation", [0, 2, -1, 2**31])
def test_a_device_in_another_generation_is_not_changed(name: str, generation: int) -> None:
    change = CHANGES.get(name, Retry())
    assert code_of(change, arrived(), generation) == "CHANGED_MEANWHILE"


def test_generation_0_is_a_certificate_without_a_row() -> None:
    revoked = after(CHANGES["revoke"], None, 0)
    assert revoked is not None
    assert (revoked.devstate, revoked.message) == (State.REVOKED, "stolen")
    assert code_of(CHANGES["revoke"], None, 1) == "CHANGED_MEANWHILE"


@pytest.mark.parametrize("name", ["move", "configure", "release", "retry"])
def test_a_certificate_without_a_row_is_unknown(name: str) -> None:
    assert code_of(CHANGES.get(name, Retry()), None) == "UNKNOWN_DEVICE"


def test_a_move_keeps_profile_and_configuration_unless_they_are_given() -> None:
    device = claimed(ClaimRequest(A, "camera", {"a": 1}))
    kept = after(TO_B, device)
    assert kept is not None
    assert (kept.target, kept.profile, kept.config) == (B, "camera", {"a": 1})
    changed = after(Move(registered(B, "default"), "default", "new"), device)
    assert changed is not None
    assert (changed.profile, changed.config) == ("default", "new")


def test_a_move_to_a_target_without_the_profile_is_refused() -> None:
    device = claimed(ClaimRequest(A, "camera"))
    assert code_of(Move(registered(B)), device) == "UNKNOWN_PROFILE"
    assert code_of(Move(registered(B, archivedat=T)), device) == "TARGET_ARCHIVED"


@pytest.mark.parametrize(
    "device", [claimed(), commissioned(), arrived(), fail(claimed(), 1, "TARGET_LIMIT", "full", T)]
)
def test_a_configured_device_is_commissioned_again_in_its_target(device: Device) -> None:
    changed = after(CHANGES["configure"], device)
    assert changed is not None
    assert (changed.devstate, changed.needs_commissioner, changed.iotep) == (State.CLAIMED, True, None)
    assert (changed.target, changed.profile, changed.config) == (A, "default", {"interval": 5})
    assert (changed.reason, changed.message, changed.targets_to_clear) == (None, None, ())
    assert (changed.claimedby, changed.claimedat) == (device.claimedby, device.claimedat)


def test_an_expected_device_is_configured_and_stays_expected() -> None:
    expected = transitions.claim(None, CERTID, ClaimRequest(A), "user:ann", T)
    changed = after(CHANGES["configure"], expected)
    assert changed is not None
    assert (changed.devstate, changed.needs_commissioner, changed.config) == (State.EXPECTED, False, {"interval": 5})


def test_a_configured_proving_device_gets_a_new_code_but_no_additional_attempts() -> None:
    device = proving()
    changed = after(CHANGES["configure"], device)
    assert changed is not None
    assert (changed.devstate, changed.code, changed.presence_proof) == (State.PROVING, None, PresenceProof.WANTED)
    assert changed.failed_codes == device.failed_codes
    assert (changed.config, changed.generation) == ({"interval": 5}, device.generation + 1)


def test_a_profile_that_the_target_does_not_have_is_refused() -> None:
    assert code_of(Configure(IN_A, profile="submarine"), arrived()) == "UNKNOWN_PROFILE"
    changed = after(Configure(IN_A, profile="camera"), arrived())
    assert changed is not None
    assert (changed.profile, changed.config) == ("camera", arrived().config)


@pytest.mark.parametrize("device", [knocking(), inlobby(), transitions.revoke(arrived(), CERTID, "lost", T)])
def test_a_device_without_a_claim_cannot_be_configured(device: Device) -> None:
    assert code_of(CHANGES["configure"], device) in ("NOT_ALLOWED", "REVOKED")


@pytest.mark.parametrize("shown", [State.CLAIMED, State.COMMISSIONED, State.FAILED])
def test_a_retry_leaves_a_device_that_has_entered_another_state_since_the_preview(shown: State) -> None:
    """A device arrives without a new generation."""
    with pytest.raises(Conflict, match=r"state arrived, want state") as refused:
        decide(Retry(), Chosen(CERTID, 1, shown), arrived(), "user:ann", T)
    assert refused.value.code == "CHANGED_MEANWHILE"


@pytest.mark.parametrize("shown", [None, State.ARRIVED])
def test_a_retry_restarts_a_device_in_the_state_that_was_shown(shown: State | None) -> None:
    retried = decide(Retry(), Chosen(CERTID, 1, shown), arrived(), "user:ann", T)
    assert retried is not None
    assert retried.devstate is State.CLAIMED


def test_other_changes_accept_a_device_that_has_arrived_since() -> None:
    for change in CHANGES.values():
        assert decide(change, Chosen(CERTID, 1, State.COMMISSIONED), arrived(), "user:ann", T) != arrived()
