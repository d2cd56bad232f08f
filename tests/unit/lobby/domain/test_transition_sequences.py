"""Any sequence of events leaves a consistent row, and no target is lost before it is cleared."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from lobby.domain import hellos, transitions
from lobby.domain.commissioner_transitions import arrive, commission, fail, leave_uncleared, retire
from lobby.domain.device import Device
from lobby.domain.hellos import Report
from lobby.domain.lanes.lane import turn_of
from lobby.domain.states import State
from lobby.domain.transitions import ClaimRequest
from lobby.errors import Conflict
from lobby.ledger.items import attributes_of, device_of_image
from lobby.ledger.models import LedgerRow
from tests.tiers import examples
from tests.unit.lobby.domain.sample_devices import CERTID, HERE, WHO, A, B, C, T, arrived

EVENTS: dict[str, Callable[[Device | None, int], Device | None]] = {
    "admit": lambda d, _n: transitions.admit(d, WHO, HERE, T),
    "refuse": lambda d, n: transitions.refuse(d, CERTID, WHO.name, HERE, f"R{n}", "m", T),
    "revoke": lambda d, _n: transitions.revoke(d, CERTID, "w", T),
    "claim": lambda d, n: transitions.claim(d, CERTID, ClaimRequest((A, B, C)[n]), "u", T),
}


ROW_EVENTS: dict[str, Callable[[Device, int], Device | None]] = {
    "hello": lambda d, _n: hellos.hello(d, Report(), T),
    "move": lambda d, n: transitions.move(d, ClaimRequest((A, B, C)[n]), "u", T),
    "configure": lambda d, n: transitions.configure(d, None, f"c{n}", T),
    "release": lambda d, _n: transitions.release(d, T),
    "retry": lambda d, _n: transitions.retry(d, T),
    "commission": lambda d, _n: commission(d, d.generation, "h", T),
    "fail": lambda d, n: fail(d, d.generation, f"F{n}", "m", T),
    "arrive": lambda d, _n: arrive(d, T),
    "retire": lambda d, _n: retire(d, d.generation, d.targets_to_clear[0] if d.targets_to_clear else None),
    "not retired": lambda d, _n: retire(
        d, d.generation, d.targets_to_clear[0] if d.targets_to_clear else None, "X", "m"
    ),
    "left uncleared": lambda d, n: leave_uncleared(d, (A, B, C)[n]),
    "retire late": lambda d, n: retire(d, d.generation - 1, (A, B, C)[n]),
}


steps = st.lists(st.tuples(st.sampled_from([*EVENTS, *ROW_EVENTS]), st.integers(0, 2)), max_size=25)


@given(steps)
@settings(max_examples=examples(400), deadline=None)
def test_any_sequence_of_events_leaves_a_consistent_row(events: list[tuple[str, int]]) -> None:
    device: Device | None = None
    for name, number in events:
        before = device
        try:
            if name in EVENTS:
                device = EVENTS[name](device, number)
            elif device is not None:
                device = ROW_EVENTS[name](device, number)
        except Conflict:
            continue
        check(before, device)


def check(before: Device | None, after: Device | None) -> None:
    if after is None:
        assert before is None or before.devstate is State.EXPECTED
        return
    assert after.generation >= (before.generation if before else 0)
    assert (before is None) or (before.devstate is not State.REVOKED) or after.devstate is State.REVOKED
    if after.devstate in (State.EXPECTED, State.CLAIMED, State.COMMISSIONED, State.ARRIVED, State.FAILED):
        assert after.target is not None
        assert after.target not in after.targets_to_clear
    if after.devstate in (State.KNOCKING, State.INLOBBY):
        assert after.target is None
    assert not after.has_certificate or after.devicename == WHO.name
    if after.devstate is State.EXPECTED:
        assert not after.has_certificate
    if after.devstate in (
        State.CLAIMED,
        State.COMMISSIONED,
        State.ARRIVED,
        State.FAILED,
        State.KNOCKING,
        State.INLOBBY,
    ):
        assert after.has_certificate
    assert (after.devstate is State.CLAIMED) <= after.needs_commissioner, "a claimed device is the commissioner's to do"
    assert (after.devstate in (State.FAILED, State.EXPECTED, State.KNOCKING)) <= (not after.needs_commissioner)
    assert len(set(after.targets_to_clear)) == len(after.targets_to_clear)
    assert (after.route() is not None) == (after.devstate in (State.COMMISSIONED, State.ARRIVED))
    assert after.devstate is not State.REFUSED or after.reason
    check_row(after)


def check_row(device: Device) -> None:
    """Convert to a stream image and back."""
    row = LedgerRow(**attributes_of(device))
    assert device_of_image(row.serialize()) == replace(device, turn=turn_of(device))
    assert ("turn" in row.serialize()) == device.needs_commissioner


def test_a_target_is_never_lost_before_it_is_cleared() -> None:
    device = arrived()
    for request in (B, C, A, B):
        device = transitions.move(device, ClaimRequest(request), "u", T)
    assert set(device.targets_to_clear) == {A, C}
    assert set(transitions.revoke(device, CERTID, "w", T).targets_to_clear) == {A, B, C}
