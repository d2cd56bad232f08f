"""A thing gets the attributes and groups of its device's enrolment, if the device's profile permits them."""

from dataclasses import replace
from typing import Any

import pytest
from moto.iot.models import iot_backends

from commissioner.lambdas.inspector import inspect
from commissioner.reconciliation.comparison import Repair, compare
from commissioner.reconciliation.examination import Examination
from commissioner.reconciliation.records import Partition, placed_record, thing_record
from commissioner.target_gateway.sessions import Sessions
from lobby.contracts.inspector import Facts, Thing
from lobby.domain.enrolments.thing_settings import ThingSettings
from lobby.domain.states import State
from lobby.domain.targets.profile import Profile, Profiles
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.models import LedgerRow
from tests import aws
from tests.functional.commissioner.lobby_with_targets import ANN, KEY, ONE, A, LobbyWithTargets, wall_clock

FLEET = Profiles.of(
    [Profile("default"), Profile("gateway", enrolment_attributes=("batch",), enrolment_groups=("lot-7", "lot-8"))]
)
GIVEN = ThingSettings((("batch", "2026-11"), ("site", "berlin")), ("lot-7", "elsewhere"))


@pytest.fixture
def fleet(lobby: LobbyWithTargets) -> LobbyWithTargets:
    """A lobby whose device has joined by an enrolment that gives attributes and groups."""
    lobby.profiles = FLEET
    with lobby.calls.uncounted():
        lobby.targets.register(A, "A", tuple(FLEET.by_name), ANN)
        iot = iot_backends[A.account][A.region]
        for group in (*FLEET.thing_groups(), "the-owners"):
            iot.create_thing_group(group, None, {})  # type: ignore[arg-type]  # for moto, no parent is None
        lobby.deploy_policy(A, "gateway")
        LedgerRow(ONE).update(actions=[LedgerRow.thing_settings.set(GIVEN.encode())])
    lobby.server = lobby.new_server()
    return lobby


def thing() -> tuple[dict[str, str], set[str]]:
    """Return attributes and groups of the device's thing, without what identifies it."""
    iot = iot_backends[A.account][A.region]
    found = iot.describe_thing("sensor-1").attributes
    groups = {group["groupName"] for group in iot.list_thing_groups_for_thing("sensor-1")}
    return {name: value for name, value in found.items() if name not in ("claim", "certid")}, groups


def facts(lobby: LobbyWithTargets) -> Facts:
    iot = Sessions(aws.client("sts"), wall_clock).of(lobby.targets.get(A)).iot
    return inspect(iot, A, ONE, "sensor-1", FLEET)


class Inspector:
    """Answers for the inspector."""

    def __init__(self, lobby: LobbyWithTargets) -> None:
        self._lobby = lobby

    def facts(self, *_: Any) -> tuple[Facts, ...]:
        return (facts(self._lobby),)


def test_a_thing_gets_what_its_profile_permits(fleet: LobbyWithTargets) -> None:
    assert fleet.deliver(fleet.claim(profile="gateway")) == []
    assert fleet.device().devstate is State.COMMISSIONED
    assert thing() == ({"batch": "2026-11"}, {"lot-7"})


def test_a_profile_that_permits_nothing_gets_nothing(fleet: LobbyWithTargets) -> None:
    assert fleet.deliver(fleet.claim()) == []
    assert thing() == ({}, set())


def test_another_profile_removes_what_it_does_not_permit(fleet: LobbyWithTargets) -> None:
    assert fleet.deliver(fleet.claim(profile="gateway")) == []
    iot_backends[A.account][A.region].add_thing_to_thing_group("the-owners", None, "sensor-1", None)
    fleet.ledger.move(ONE, ClaimRequest(A, "default"), ANN)
    assert fleet.deliver(fleet.record(ONE)) == []
    assert thing() == ({}, {"the-owners"})


@pytest.mark.parametrize("spoil", ["missing", "wrong", "left"])
def test_a_difference_is_found_by_the_reconciler_and_corrected_by_a_retry(fleet: LobbyWithTargets, spoil: str) -> None:
    assert fleet.deliver(fleet.claim(profile="gateway")) == []
    iot, listed = iot_backends[A.account][A.region], fleet.device()
    examination = Examination(fleet.ledger, Inspector(fleet), FLEET, KEY)  # type: ignore[arg-type]  # reads only
    # A list of the ledger does not have what the enrolment gives.
    from_list = replace(listed, thing_settings=None)
    assert examination.placed(A, [from_list]).findings == ()
    if spoil == "left":
        iot.remove_thing_from_thing_group("lot-7", None, "sensor-1", None)
    elif spoil == "wrong":
        iot.describe_thing("sensor-1").attributes["batch"] = "another"
    else:
        del iot.describe_thing("sensor-1").attributes["batch"]
    [finding] = examination.placed(A, [from_list]).findings
    assert finding.difference.repair is Repair.RETRY
    assert fleet.deliver(fleet.retry()) == []
    assert thing() == ({"batch": "2026-11"}, {"lot-7"})
    assert compare(fleet.device(), facts(fleet), FLEET, KEY) == []


def test_the_lists_of_a_comparison_do_not_suspect_what_enrolments_give(fleet: LobbyWithTargets) -> None:
    assert fleet.deliver(fleet.claim(profile="gateway")) == []
    device = fleet.device()
    found = facts(fleet)
    assert found.thing is not None
    listed = Thing("sensor-1", ONE, None, found.thing.attributes, found.claim)
    partition = Partition()
    records = [placed_record(device, FLEET), thing_record(listed, FLEET, KEY)]
    partition.add([f"a{ONE}", f"p{ONE}\tgateway", *filter(None, records)])
    assert partition.suspects() == []
