"""What people ask of the API in the stories, in the words that clients use."""

from typing import Final

from lobby.names import Target
from tests.functional.admin_api.api_on_moto import at
from tests.simulation.faults.field import Field

_ONE: Final = "mutation($id: ID!, $target: TargetInput!, $profile: String)"
CLAIM: Final = f"{_ONE} {{ claimDevice(certid: $id, target: $target, profile: $profile) {{ devstate }} }}"
MOVE: Final = f"{_ONE} {{ moveDevice(certid: $id, target: $target, profile: $profile) {{ devstate }} }}"
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
LOOK: Final = """query($id: ID!) {
  me { name role } overview { total states { state count } } targets { name }
  devices(first: 5) { nodes { certid devstate } } device(certid: $id) { devstate historyIntact history { event } } }"""


def claim(field: Field, name: str, target: Target) -> None:
    field.cloud.press(CLAIM, {"id": field.devices[name].certid, "target": at(target)})


def move(field: Field, name: str, target: Target, profile: str | None = None) -> None:
    field.cloud.press(MOVE, {"id": field.devices[name].certid, "target": at(target), "profile": profile})


def add(field: Field, name: str, target: Target) -> None:
    field.cloud.press(ADD, {"id": field.devices[name].certid, **at(target)})


def claim_all(field: Field, target: Target) -> None:
    field.cloud.press(BULK, {"ids": [device.certid for device in field.devices.values()], "target": at(target)})


def release(field: Field, name: str) -> None:
    field.cloud.press(RELEASE, {"id": field.devices[name].certid})


def revoke(field: Field, name: str) -> None:
    field.cloud.press(REVOKE, {"id": field.devices[name].certid})


def retry(field: Field, name: str) -> None:
    field.cloud.press(RETRY, {"id": field.devices[name].certid})


def register(
    field: Field, target: Target, name: str, profiles: tuple[str, ...] = (), *, presence: bool | None = None
) -> None:
    said = {"name": name, "profiles": list(profiles), "presence": presence}
    field.cloud.press(REGISTER, {**at(target), **said}, "admin")


def confirm(field: Field, name: str) -> None:
    """With the code that the device shows."""
    device = field.devices[name]
    field.cloud.press(CONFIRM, {"id": device.certid, "code": device.code})


def check(field: Field, target: Target) -> None:
    field.cloud.press(CHECK, at(target))


def look(field: Field, name: str) -> None:
    field.cloud.press(LOOK, {"id": field.devices[name].certid}, "viewer")
