"""Requests that preview and change many devices, for the tests of both."""

from collections.abc import Sequence
from typing import Any

from lobby.domain.transitions import ClaimRequest
from lobby.names import Fingerprint
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, Response, at

PREVIEW = """
query($change: ChangeInput!, $devices: [ChosenDevice!], $filter: DeviceFilter, $first: Int! = 100, $after: String) {
  previewChange(change: $change, devices: $devices, filter: $filter, first: $first, after: $after) {
    total changing unchanged refusals { code count }
    devices { certid ok changes code message generation state device { devicename devstate targetaccount } }
    pageInfo { hasNextPage endCursor }
  }
}"""
CHANGE = """
mutation($change: ChangeInput!, $devices: [ChosenDevice!]!) {
  changeDevices(change: $change, devices: $devices) {
    results { certid ok code message forgotten device { certid devstate targetaccount profile generation } }
  }
}"""
MOVE = {"operation": "MOVE", "target": at(THERE)}
CHANGES: dict[str, dict[str, Any]] = {
    "move": MOVE,
    "configure": {"operation": "CONFIGURE", "config": {"interval": 5}},
    "release": {"operation": "RELEASE"},
    "revoke": {"operation": "REVOKE", "why": "stolen"},
    "retry": {"operation": "RETRY"},
}
STATES = {"move": "claimed", "configure": "claimed", "release": "inlobby", "revoke": "revoked", "retry": "claimed"}


def claimed(lobby: Lobby, number: int) -> Fingerprint:
    certid = lobby.waiting(number)
    lobby.ledger.claim(certid, ClaimRequest(HERE), "user:bob")
    return certid


def chosen(certids: Sequence[str], generation: int | None = 1) -> list[dict[str, Any]]:
    return [{"certid": certid} | ({} if generation is None else {"generation": generation}) for certid in certids]


def preview(lobby: Lobby, change: dict[str, Any], **variables: Any) -> dict[str, Any]:
    result: dict[str, Any] = lobby.ask(PREVIEW, {"change": change} | variables).data["previewChange"]
    return result


def change(
    lobby: Lobby, change: dict[str, Any], devices: list[dict[str, Any]], groups: tuple[str, ...] = ("operator",)
) -> Response:
    return lobby.ask(CHANGE, {"change": change, "devices": devices}, groups)


def codes(response: Response) -> list[str | None]:
    return [each["code"] for each in response.data["changeDevices"]["results"]]
