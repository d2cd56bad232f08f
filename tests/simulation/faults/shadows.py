"""Devices with shadows: their initial states, and what is in the shadows of a target."""

import json
from typing import Any, Final

from moto.iot.models import iot_backends
from moto.iotdata.models import iotdata_backends

from lobby.domain.shadows.shadow_documents import updates
from lobby.names import Target
from tests.simulation.faults import api_requests, initial_states
from tests.simulation.faults.devices import A, B, Fleet
from tests.simulation.faults.initial_states import ONE

CLASSIC: Final = {"desired": {"interval": 30}, "reported": {"interval": 10}}
NAMED: Final = {"reported": {"version": "1.2.3"}}
_AT: Final = 1
"""When the shadows were written, in s since 1970: before every move. AWS IoT states it for each value."""


def in_a(fleet: Fleet) -> None:
    """A device that has arrived in A has a classic and a named shadow there."""
    initial_states.arrived(fleet)
    fleet.cloud.settle()
    _write(A, None, CLASSIC)
    _write(A, "firmware", NAMED)


def in_both(fleet: Fleet) -> None:
    """As `in_a`, and it has left shadows in B long ago."""
    in_a(fleet)
    api_requests.move(fleet, ONE, B)
    fleet.cloud.settle()
    _write(B, None, {"reported": {"interval": 99, "old": True}})
    _write(B, "old", NAMED)
    api_requests.move(fleet, ONE, A)
    fleet.cloud.settle()


def large_in_both(fleet: Fleet) -> None:
    """A device that has arrived in A has a classic shadow there, and has left one in B long ago. Both are so large that
    the one in B is replaced by two updates."""
    assert len(updates(_large("old"), _large("new"))) == 2
    initial_states.arrived(fleet)
    fleet.cloud.settle()
    _write(A, None, _large("new"))
    api_requests.move(fleet, ONE, B)
    fleet.cloud.settle()
    _write(B, None, _large("old"))
    api_requests.move(fleet, ONE, A)
    fleet.cloud.settle()


def _large(prefix: str) -> dict[str, Any]:
    """Return a state of almost 8 kB, AWS IoT's maximum, whose keys start with `prefix`."""
    values = {f"{prefix}-{number}": "x" * 90 for number in range(38)}
    return {"desired": values, "reported": values}


def _write(target: Target, name: str | None, state: dict[str, Any]) -> None:
    backend = iotdata_backends[target.account][target.region]
    shadow = backend.update_thing_shadow(ONE, json.dumps({"state": state}), name)
    created: Any = shadow._create_metadata_from_state
    shadow.metadata_desired, shadow.metadata_reported = created(shadow.desired, _AT), created(shadow.reported, _AT)


def shadows_in(target: Target) -> dict[str, Any]:
    """Return the desired and reported state of each shadow in a target, by thing and name."""
    things = iot_backends[target.account][target.region].things.values()
    found = {
        f"{thing.thing_name}/{name or ''}": shadow.to_dict()["state"]
        for thing in things
        for name, shadow in thing.thing_shadows.items()
        if not shadow.deleted
    }
    return {key: {section: state.get(section) for section in ("desired", "reported")} for key, state in found.items()}
