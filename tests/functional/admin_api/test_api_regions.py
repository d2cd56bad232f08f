"""The API of a lobby in two Regions: queries from the replica, changes at home only, promotion, and lost writes."""

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest

from admin_api.operations.regions import MultiRegionServices
from lobby.deployment import NAMES
from lobby.domain.identity import Identity
from lobby.domain.regions.home import LEASE_MS, MARGIN_MS
from lobby.domain.transitions import ClaimRequest
from lobby.ledger.histories.anchor_runs import Run
from lobby.ledger.histories.anchors import Anchors
from lobby.ledger.models import HistoryRow, LedgerRow, TargetEntryRow
from lobby.ledger.regions.home_fence import Fence
from lobby.ledger.regions.home_votes import Votes
from lobby.ledger.regions.region_audit import RegionAudit
from lobby.ledger.store import Ledger
from lobby.ledger.targets.target_administration import TargetAdministration
from lobby.ledger.targets.target_registry import Targets
from lobby.names import Fingerprint, Region, ThingName, parse_target
from tests.aws import LOBBY, Calls, Clock
from tests.functional.admin_api.api_on_moto import Lobby
from tests.regions import DUBLIN, FRANKFURT, MINUTE, Regions, regions

CERTID, OTHER = Fingerprint("1a" * 32), Fingerprint("2b" * 32)
TARGET = parse_target("111111111111", "us-east-1")
STATE = "{ lobby { region home acceptsChanges code regions { name isHome answers isNeeded } } }"
PROMOTE = f'mutation {{ promoteRegion(region: "{FRANKFURT}") {{ promoted waitSeconds }} }}'
WITHOUT = f'mutation {{ continueWithout(region: "{FRANKFURT}") {{ acceptsChanges }} }}'
CLAIM = f"""mutation {{
  claimDevice(certid: "{CERTID}", target: {{account: "111111111111", region: "us-east-1"}}) {{ devstate }} }}"""
CHECK = "query($of: String) { regionCheck(anchorsOf: $of) { checked findings { certid code seq } } }"
SETTINGS = "{ regionCheck { settings { kind name code message } } }"
ADMIN = ("admin",)


class Apis:
    """The APIs of both Regions, and a device that was admitted and replicated."""

    def __init__(self, several: Regions, clock: Clock) -> None:
        self.several, self.clock = several, clock
        several.keep(DUBLIN)
        with several.at(DUBLIN):
            Targets(lambda: "external-id", clock).register(TARGET, "Plant", (), "user:setup")
            self.ledger(DUBLIN).admit(Identity(CERTID, ThingName("sensor-1"), "PEM"), "service:bouncer")
        several.replicate(DUBLIN, FRANKFURT)

    def ledger(self, region: Region) -> Ledger:
        return Ledger(region, self.clock, pause=lambda _attempt: None)

    def anchors(self, region: Region) -> Anchors:
        return Anchors(lambda: boto3.client("s3", region_name=region), NAMES.notary_bucket(LOBBY, region))

    @contextmanager
    def api(self, region: Region) -> Iterator[Lobby]:
        with self.several.at(region):
            ledger, votes = self.ledger(region), Votes()
            yield Lobby(
                ledger,
                Targets(lambda: "external-id", self.clock),
                self.anchors(region),
                multi_region=MultiRegionServices(
                    self.several.names,
                    Fence(region, votes, self.several.clock),
                    self.several.lease(region),
                    votes,
                    RegionAudit(ledger),
                    self.anchors,
                ),
            )

    def claim_in_dublin(self) -> None:
        with self.several.at(DUBLIN):
            self.ledger(DUBLIN).claim(CERTID, ClaimRequest(TARGET), "user:ann")

    def lose_dublin(self) -> None:
        self.several.down = {DUBLIN}
        self.several.now += LEASE_MS + MARGIN_MS
        with self.api(FRANKFURT) as api:
            assert api.ask(PROMOTE, groups=ADMIN).data["promoteRegion"]["promoted"]


@pytest.fixture
def apis(calls: Calls, clock: Clock) -> Iterator[Apis]:
    with regions(calls) as several:
        yield Apis(several, clock)


def test_queries_are_answered_from_the_replica_and_name_the_home(apis: Apis) -> None:
    with apis.api(FRANKFURT) as api:
        assert api.ask(f'{{ device(certid: "{CERTID}") {{ devstate }} }}').data == {"device": {"devstate": "knocking"}}
        found = api.ask(STATE).data["lobby"]
    assert (found["home"], found["acceptsChanges"], found["code"]) == (DUBLIN, False, "NOT_HOME")
    assert found["regions"] == [
        {"name": DUBLIN, "isHome": True, "answers": True, "isNeeded": True},
        {"name": FRANKFURT, "isHome": False, "answers": True, "isNeeded": True},
    ]


def test_a_change_is_refused_before_anything_is_done_and_the_error_names_the_home(apis: Apis) -> None:
    with apis.api(FRANKFURT) as api:
        apis.several.calls.forget()
        response = api.ask(CLAIM)
        assert response.code == "NOT_HOME"
        assert DUBLIN in response.body["errors"][0]["message"]
        assert set(apis.several.calls.names()) <= {"GetItem", "Query"}
    with apis.api(DUBLIN) as api:
        assert api.ask(CLAIM).data == {"claimDevice": {"devstate": "claimed"}}


def test_an_alert_can_be_added_in_a_region_that_is_not_home(apis: Apis) -> None:
    boto3.client("sns", region_name=DUBLIN).create_topic(Name=NAMES.name("notices"))
    with apis.api(FRANKFURT) as api:
        added = api.ask('mutation { addAlert(email: "ann@example.com") { email confirmed } }', groups=ADMIN)
        assert added.data == {"addAlert": {"email": "ann@example.com", "confirmed": False}}


def test_while_the_home_is_down_devices_are_shown_and_changes_are_refused(apis: Apis) -> None:
    apis.several.down = {DUBLIN}
    apis.several.pass_minutes(6)
    with apis.api(FRANKFURT) as api:
        assert api.ask(f'{{ device(certid: "{CERTID}") {{ certid }} }}').data["device"]
        assert api.ask(CLAIM).code == "LEASE_EXPIRED"
        found = api.ask(STATE).data["lobby"]
    assert (found["home"], found["code"]) == (DUBLIN, "LEASE_EXPIRED")
    assert [each["answers"] for each in found["regions"]] == [False, True]


def test_the_other_region_is_promoted_after_the_loss_of_the_home_and_accepts_changes(apis: Apis) -> None:
    apis.several.down = {DUBLIN}
    with apis.api(FRANKFURT) as api:
        first = api.ask(PROMOTE, groups=ADMIN).data["promoteRegion"]
        assert first == {"promoted": False, "waitSeconds": (LEASE_MS + MARGIN_MS) // 1000}
        apis.several.now += 1000 * first["waitSeconds"]
        assert api.ask(PROMOTE, groups=ADMIN).data["promoteRegion"] == {"promoted": True, "waitSeconds": 0}
    with apis.api(FRANKFURT) as api:
        assert api.ask(CLAIM).data["claimDevice"]


def test_only_the_api_of_a_region_promotes_it(apis: Apis) -> None:
    with apis.api(DUBLIN) as api:
        assert api.ask(PROMOTE, groups=ADMIN).code == "WRONG_REGION"


def test_the_home_continues_without_a_region_that_is_down(apis: Apis) -> None:
    with apis.api(DUBLIN) as api:
        assert api.ask(WITHOUT, groups=ADMIN).code == "REGION_ANSWERS"
        apis.several.down = {FRANKFURT}
        assert api.ask(WITHOUT, groups=ADMIN).data["continueWithout"]
        assert [each["isNeeded"] for each in api.ask(STATE).data["lobby"]["regions"]] == [True, False]


def test_the_time_of_the_last_replication_is_shown(apis: Apis) -> None:
    apis.several.now += MINUTE
    apis.several.keep(DUBLIN)
    with apis.api(FRANKFURT) as api:
        before, own = api.ask("{ lobby { regions { replicatedAt } } }").data["lobby"]["regions"]
    apis.several.replicate(DUBLIN, FRANKFURT)
    with apis.api(FRANKFURT) as api:
        after, _ = api.ask("{ lobby { regions { replicatedAt } } }").data["lobby"]["regions"]
    assert own["replicatedAt"] is None
    assert before["replicatedAt"] < after["replicatedAt"]


def test_a_complete_replica_has_no_gap(apis: Apis) -> None:
    apis.claim_in_dublin()
    apis.several.replicate(DUBLIN, FRANKFURT)
    apis.lose_dublin()
    with apis.api(FRANKFURT) as api:
        assert api.ask(CHECK).data["regionCheck"] == {"checked": 1, "findings": []}


@pytest.mark.parametrize(
    ("only", "code"), [((HistoryRow,), "ROW_BEHIND"), ((LedgerRow,), "ENTRY_MISSING")], ids=["entry", "row"]
)
def test_a_change_that_was_replicated_in_part_is_found(
    apis: Apis, only: tuple[type[LedgerRow] | type[HistoryRow], ...], code: str
) -> None:
    apis.claim_in_dublin()
    apis.several.replicate(DUBLIN, FRANKFURT, only=only)
    apis.lose_dublin()
    with apis.api(FRANKFURT) as api:
        assert api.ask(CHECK).data["regionCheck"]["findings"] == [{"certid": CERTID, "code": code, "seq": 2}]


def test_a_setting_that_was_replicated_in_part_is_found(apis: Apis) -> None:
    with apis.several.at(DUBLIN):
        TargetAdministration(Targets(lambda: "external-id", apis.clock), apis.clock).archive(TARGET, "user:ann")
    apis.several.replicate(DUBLIN, FRANKFURT)
    apis.lose_dublin()
    with apis.api(FRANKFURT) as api:
        assert api.ask(SETTINGS).data["regionCheck"]["settings"] == []
        *_, last = TargetEntryRow.query(f"history#{TARGET}")
        last.delete()
        found = api.ask(SETTINGS).data["regionCheck"]["settings"]
    message = "got archived: yes (by the history: no)"
    assert found == [{"kind": "target", "name": str(TARGET), "code": "ENTRY_DIFFERS", "message": message}]


def test_two_entries_with_one_number_are_found(apis: Apis) -> None:
    apis.claim_in_dublin()
    apis.lose_dublin()
    with apis.several.at(FRANKFURT):
        apis.ledger(FRANKFURT).claim(CERTID, ClaimRequest(parse_target("2" * 12, "us-east-1")), "user:ben")
    apis.several.down = set()
    apis.several.replicate(DUBLIN, FRANKFURT, only=(HistoryRow,))
    with apis.api(FRANKFURT) as api:
        assert api.ask(CHECK).data["regionCheck"]["findings"] == [{"certid": CERTID, "code": "ENTRY_DIFFERS", "seq": 2}]


def test_changes_that_were_never_replicated_are_found_by_the_anchors_of_the_old_region(apis: Apis) -> None:
    apis.claim_in_dublin()
    with apis.several.at(DUBLIN):
        apis.ledger(DUBLIN).admit(Identity(OTHER, ThingName("sensor-2"), "PEM"), "service:bouncer")
        entries = [*apis.ledger(DUBLIN).history(CERTID), *apis.ledger(DUBLIN).history(OTHER)]
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=NAMES.notary_bucket(LOBBY, DUBLIN))
        for entry in entries:
            apis.anchors(DUBLIN).put(Run(entry.certid, entry.seq, (entry.hash,)))
    apis.lose_dublin()
    with apis.api(FRANKFURT) as api:
        assert api.ask(CHECK, {"of": DUBLIN}).code == "REGION_UNREACHABLE"
        apis.several.down = set()
        found = api.ask(CHECK, {"of": DUBLIN}).data["regionCheck"]
        assert api.ask(CHECK, {"of": "us-west-2"}).code == "UNKNOWN_REGION"
    assert found == {
        "checked": 2,
        "findings": [
            {"certid": CERTID, "code": "WRITE_LOST", "seq": 2},
            {"certid": OTHER, "code": "DEVICE_LOST", "seq": 1},
        ],
    }


def test_no_region_of_the_lobby_can_be_a_target_and_its_first_one_identifies_it(apis: Apis) -> None:
    own = f'account: "999999999999", region: "{FRANKFURT}", name: "Own"'
    register = f"mutation {{ registerTarget({own}) {{ name }} }}"
    setup = "{ targets { setupCommand } }"
    with apis.api(DUBLIN) as api:
        assert api.ask(register, groups=ADMIN).code == "INVALID_TARGET"
    with apis.api(FRANKFURT) as api:
        command = api.ask(setup, groups=ADMIN).data["targets"][0]["setupCommand"]
    assert f"--lobby-region {DUBLIN} --lobby-regions {DUBLIN},{FRANKFURT}" in command
