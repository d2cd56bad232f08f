"""A lobby with two targets whose things have shadows, in moto, which merges and versions them as AWS IoT does."""

import json
from typing import Any

from moto.iot.models import iot_backends
from moto.iotdata.models import iotdata_backends

from lobby.domain.changes import Chosen, Move
from lobby.domain.shadows.shadow_choices import ShadowChoice
from lobby.names import Fingerprint, Target
from tests.functional.commissioner.lobby_with_targets import ANN, IDS, ONE, A, B, LobbyWithTargets, Record

MIGRATE, RESET, LEAVE = ShadowChoice.MIGRATE, ShadowChoice.RESET, ShadowChoice.LEAVE
NAMES = {certid: name for name, certid in IDS.items()}
CLASSIC = {"desired": {"interval": 30}, "reported": {"interval": 10, "battery": {"level": 71}}}
NAMED = {"reported": {"version": "1.2.3"}}


def move(lobby: LobbyWithTargets, choice: ShadowChoice | None, certid: Fingerprint = ONE, target: Target = B) -> Record:
    """Move a device as a user does, and return the record of its row."""
    with lobby.calls.uncounted():
        lobby.ledger.change(Chosen(certid), Move(lobby.targets.get(target), shadows=choice), ANN)
    return lobby.record(certid)


def write(target: Target, name: str | None, state: dict[str, Any], certid: Fingerprint = ONE) -> None:
    """Write a shadow as the device or its application does."""
    backend = iotdata_backends[target.account][target.region]
    backend.update_thing_shadow(NAMES[certid], json.dumps({"state": state}), name)


def shadows(target: Target, certid: Fingerprint = ONE) -> dict[str, Any]:
    """Return the desired and the reported state of each shadow in a target; the classic one has the name ``."""
    things = iot_backends[target.account][target.region].things
    found = {}
    for thing in things.values():
        if thing.thing_name == NAMES[certid]:
            for name, shadow in thing.thing_shadows.items():
                if not shadow.deleted:
                    state = shadow.to_dict()["state"]
                    found[name or ""] = {key: state[key] for key in ("desired", "reported") if state.get(key)}
    return found


def placed_with_shadows(lobby: LobbyWithTargets) -> None:
    """Let a device be in A with a classic and a named shadow, and start a new commissioner."""
    lobby.start_placed()
    write(A, None, CLASSIC)
    write(A, "firmware", NAMED)
