"""The users' API requests in the scenarios, as clients send them."""

from typing import Final

from lobby.names import Target
from tests.functional.admin_api.api_on_moto import at
from tests.simulation.faults.devices import Fleet

_ONE: Final = "mutation($id: ID!, $target: TargetInput!, $profile: String)"
CLAIM: Final = f"{_ONE} {{ claimDevice(certid: $id, target: $target, profile: $profile) {{ devstate }} }}"
MOVE: Final = f"{_ONE} {{ moveDevice(certid: $id, target: $target, profile: $profile) {{ devstate }} }}"
MOVE_WITH_SHADOWS: Final = """mutation($id: ID!, $target: TargetInput!, $shadows: ShadowChoice) {
  moveDevice(certid: $id, target: $target, shadows: $shadows) { devstate } }"""
ADD: Final = """mutation($id: ID!, $account: String!, $region: String!) {
  addDevice(certid: $id, targetaccount: $account, targetregion: $region) { devstate } }"""
BULK: Final = """mutation($ids: [ID!]!, $target: TargetInput!) {
  claimDevices(certids: $ids, target: $target) { results { certid ok code device { devstate } } } }"""
RELEASE: Final = "mutation($id: ID!) { releaseDevice(certid: $id) { forgotten } }"
REVOKE: Final = 'mutation($id: ID!) { revokeDevice(certid: $id, why: "stolen") { devstate } }'
RETRY: Final = "mutation($id: ID!) { retryDevice(certid: $id) { devstate } }"
CONFIRM: Final = "mutation($id: ID!, $code: String!) { confirmPresence(certid: $id, code: $code) { devstate } }"
REGISTER: Final = """mutation($account: String!, $region: String!, $name: String!, $profiles: [String!],
  $presence: Boolean) {
  registerTarget(account: $account, region: $region, name: $name, profiles: $profiles, presence: $presence) {
    name setupCommand } }"""
CHECK: Final = """query($account: String!, $region: String!) {
  checkTarget(account: $account, region: $region) { ok endpoint findings { step ok message } } }"""
PAUSE: Final = """mutation($account: String!, $region: String!) {
  pauseTarget(account: $account, region: $region) { name } }"""
RESUME: Final = PAUSE.replace("pauseTarget", "resumeTarget")
LOOK: Final = """query($id: ID!) {
  me { name role } overview { total states { state count } } targets { name }
  devices(first: 5) { nodes { certid devstate } } device(certid: $id) { devstate historyIntact history { event } } }"""


def claim(fleet: Fleet, name: str, target: Target) -> None:
    fleet.cloud.request(CLAIM, {"id": fleet.devices[name].certid, "target": at(target)})


def move(fleet: Fleet, name: str, target: Target, profile: str | None = None) -> None:
    fleet.cloud.request(MOVE, {"id": fleet.devices[name].certid, "target": at(target), "profile": profile})


def move_with_shadows(fleet: Fleet, name: str, target: Target, choice: str) -> None:
    wanted = {"id": fleet.devices[name].certid, "target": at(target), "shadows": choice}
    fleet.cloud.request(MOVE_WITH_SHADOWS, wanted)


def add(fleet: Fleet, name: str, target: Target) -> None:
    fleet.cloud.request(ADD, {"id": fleet.devices[name].certid, **at(target)})


def claim_all(fleet: Fleet, target: Target) -> None:
    fleet.cloud.request(BULK, {"ids": [device.certid for device in fleet.devices.values()], "target": at(target)})


def pause(fleet: Fleet, target: Target) -> None:
    fleet.cloud.request(PAUSE, at(target))


def resume(fleet: Fleet, target: Target) -> None:
    fleet.cloud.request(RESUME, at(target))


def release(fleet: Fleet, name: str) -> None:
    fleet.cloud.request(RELEASE, {"id": fleet.devices[name].certid})


def revoke(fleet: Fleet, name: str) -> None:
    fleet.cloud.request(REVOKE, {"id": fleet.devices[name].certid})


def retry(fleet: Fleet, name: str) -> None:
    retry_row(fleet, fleet.devices[name].certid)


def retry_row(fleet: Fleet, certid: str) -> None:
    fleet.cloud.request(RETRY, {"id": certid})


def register(
    fleet: Fleet, target: Target, name: str, profiles: tuple[str, ...] = (), *, presence: bool | None = None
) -> None:
    settings = {"name": name, "profiles": list(profiles), "presence": presence}
    fleet.cloud.request(REGISTER, {**at(target), **settings}, "admin")


def confirm(fleet: Fleet, name: str) -> None:
    """Confirm presence with the code that the device shows."""
    device = fleet.devices[name]
    fleet.cloud.request(CONFIRM, {"id": device.certid, "code": device.code})


def check(fleet: Fleet, target: Target) -> None:
    fleet.cloud.request(CHECK, at(target))


def look(fleet: Fleet, name: str) -> None:
    fleet.cloud.request(LOOK, {"id": fleet.devices[name].certid}, "viewer")
