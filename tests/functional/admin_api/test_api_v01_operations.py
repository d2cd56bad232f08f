"""The four operations of v0.1, with the documents of its console."""

from pathlib import Path

import pytest
from graphql import GraphQLObjectType, build_schema, parse, validate

from admin_api.schema import schema
from tests.functional.admin_api.api_on_moto import HERE, THERE, Lobby, fingerprint

GET_DEVICE = """
  query GetDevice($certid: ID) {
    getDevice(certid: $certid) {
      certid
      targetaccount
      targetregion
      devstate
    }
  }
"""
LIST_DEVICES = """
  query ListDevices($count: Int, $nextToken: String) {
    listDevices(count: $count, nextToken: $nextToken) {
      devices {
        certid
        targetaccount
        targetregion
        devstate
      }
      nextToken
    }
  }
"""
LIST_LOBBY_DEVICES = """
  query ListLobbyDevices($count: Int, $nextToken: String, $devstate: String) {
    listLobbyDevices(
      count: $count
      nextToken: $nextToken
      devstate: $devstate
    ) {
      devices {
        certid
        targetaccount
        targetregion
        devstate
      }
      nextToken
    }
  }
"""
ADD_DEVICE = """
  mutation AddDevice(
    $certid: ID!
    $targetaccount: String!
    $targetregion: String!
  ) {
    addDevice(
      certid: $certid
      targetaccount: $targetaccount
      targetregion: $targetregion
    ) {
      certid
      targetaccount
      targetregion
      devstate
    }
  }
"""
V01_SIGNATURES = {
    "Query": {
        "getDevice": "getDevice(certid: ID): Device",
        "listDevices": "listDevices(count: Int, nextToken: String): PaginatedDevices!",
        "listLobbyDevices": "listLobbyDevices(count: Int, devstate: String, nextToken: String): PaginatedDevices!",
    },
    "Mutation": {
        "addDevice": "addDevice(certid: ID!, targetaccount: String!, targetregion: String!): Device!",
    },
    "Device": {
        "certid": "certid: ID!",
        "devicename": "devicename: String",
        "devstate": "devstate: String",
        "targetaccount": "targetaccount: String",
        "targetregion": "targetregion: String",
    },
    "PaginatedDevices": {"devices": "devices: [Device!]!", "nextToken": "nextToken: String"},
}


def add(lobby: Lobby, certid: str, target: object, groups: tuple[str, ...] = ("operator",)) -> object:
    account, region = str(target).split("/")
    variables = {"certid": certid, "targetaccount": account, "targetregion": region}
    response = lobby.ask(ADD_DEVICE, variables, groups)
    return response.codes or response.data["addDevice"]


def signatures(type_name: str) -> dict[str, str]:
    """The fields of a type in one line each, without descriptions."""
    object_type = build_schema(schema.as_str()).type_map[type_name]
    assert isinstance(object_type, GraphQLObjectType)
    arguments = {
        name: ", ".join(f"{argument}: {each.type}" for argument, each in field.args.items())
        for name, field in object_type.fields.items()
    }
    return {
        name: f"{name}({arguments[name]}): {field.type}" if field.args else f"{name}: {field.type}"
        for name, field in object_type.fields.items()
    }


@pytest.mark.parametrize("type_name", V01_SIGNATURES)
def test_every_v01_signature_is_in_the_schema(type_name: str) -> None:
    present = signatures(type_name)
    assert {name: present[name] for name in V01_SIGNATURES[type_name]} == V01_SIGNATURES[type_name]


@pytest.mark.parametrize("document", [GET_DEVICE, LIST_DEVICES, LIST_LOBBY_DEVICES, ADD_DEVICE])
def test_every_document_of_the_v01_console_is_valid(document: str) -> None:
    committed = Path(__file__).parents[3] / "admin_api" / "schema.graphql"
    assert validate(build_schema(committed.read_text()), parse(document)) == []


def test_an_unknown_device_is_null(lobby: Lobby) -> None:
    assert lobby.ask(GET_DEVICE, {"certid": fingerprint(1)}).data == {"getDevice": None}


def test_a_device_is_found_by_its_fingerprint(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    device = lobby.ask(GET_DEVICE, {"certid": certid}).data["getDevice"]
    assert device == {"certid": certid, "targetaccount": None, "targetregion": None, "devstate": "inlobby"}


@pytest.mark.parametrize("variables", [{}, {"certid": None}, {"certid": ""}, {"certid": "no"}, {"certid": 5}])
def test_a_lookup_without_a_fingerprint_is_rejected(lobby: Lobby, variables: dict[str, object]) -> None:
    assert lobby.ask(GET_DEVICE, variables).code == "INVALID_FINGERPRINT"


def test_a_waiting_device_is_claimed(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    assert add(lobby, certid, HERE) == {
        "certid": certid,
        "targetaccount": HERE.account,
        "targetregion": HERE.region,
        "devstate": "claimed",
    }


def test_an_unknown_device_can_be_claimed(lobby: Lobby) -> None:
    claimed = add(lobby, fingerprint(1), HERE)
    assert isinstance(claimed, dict)
    assert claimed["devstate"] == "expected"


def test_adding_for_the_same_target_keeps_profile_and_config(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    target = '{account: "%s", region: "%s"}' % (HERE.account, HERE.region)  # noqa: UP031  # braces of GraphQL
    lobby.ask(
        f'mutation {{ claimDevice(certid: "{certid}", target: {target}, profile: "camera", config: "c") {{ certid }} }}'
    )
    before = lobby.ledger.get(certid)
    for groups in (("operator",), ("technician", f"target:{HERE}")):
        again = add(lobby, certid, HERE, groups)
        assert isinstance(again, dict)
        assert again["devstate"] == "claimed"
    assert lobby.ledger.get(certid) == before


def test_adding_for_another_target_moves_the_device_for_an_operator(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    add(lobby, certid, HERE)
    moved = add(lobby, certid, THERE)
    assert isinstance(moved, dict)
    assert (moved["targetaccount"], moved["devstate"]) == (THERE.account, "claimed")
    device = lobby.ledger.get(certid)
    assert device is not None
    assert (device.generation, device.targets_to_clear) == (2, (HERE,))


def test_adding_for_another_target_is_rejected_for_a_technician(lobby: Lobby) -> None:
    certid = lobby.waiting(1)
    add(lobby, certid, HERE)
    before = lobby.ledger.get(certid)
    assert add(lobby, certid, THERE, ("technician", f"target:{HERE}", f"target:{THERE}")) == ["ALREADY_CLAIMED"]
    assert lobby.ledger.get(certid) == before


@pytest.mark.parametrize(
    ("certid", "account", "region", "code"),
    [
        ("zz", "111111111111", "eu-west-1", "INVALID_FINGERPRINT"),
        (fingerprint(1), "11111111111", "eu-west-1", "INVALID_ACCOUNT"),
        (fingerprint(1), "select", "eu-west-1", "INVALID_ACCOUNT"),
        (fingerprint(1), "111111111111", "select", "INVALID_REGION"),
        (fingerprint(1), "111111111111", "eu-west-1'; drop", "INVALID_REGION"),
        (fingerprint(1), "333333333333", "eu-west-1", "UNKNOWN_TARGET"),
    ],
)
def test_a_malformed_claim_writes_no_row(lobby: Lobby, certid: str, account: str, region: str, code: str) -> None:
    response = lobby.ask(ADD_DEVICE, {"certid": certid, "targetaccount": account, "targetregion": region})
    assert response.code == code
    assert lobby.ask(LIST_DEVICES).data["listDevices"] == {"devices": [], "nextToken": None}


def test_a_value_cannot_set_another_attribute_of_the_row(lobby: Lobby) -> None:
    hostile = '111111111111", "devstate": {"S": "commissioned"}, "x": "'
    response = lobby.ask(ADD_DEVICE, {"certid": fingerprint(1), "targetaccount": hostile, "targetregion": "eu-west-1"})
    assert response.code == "INVALID_ACCOUNT"
    assert lobby.ledger.get(fingerprint(1)) is None


def test_pages_list_every_device_once(lobby: Lobby) -> None:
    expected = {lobby.waiting(number) for number in range(5)} | {lobby.admit(number) for number in range(5, 8)}
    add(lobby, fingerprint(0), HERE)
    listed: list[str] = []
    token: str | None = None
    while True:
        page = lobby.ask(LIST_DEVICES, {"count": 3, "nextToken": token}).data["listDevices"]
        assert len(page["devices"]) <= 3
        listed += [device["certid"] for device in page["devices"]]
        token = page["nextToken"]
        if token is None:
            break
    assert sorted(listed) == sorted(expected)


def test_list_lobby_devices_defaults_to_waiting_devices(lobby: Lobby) -> None:
    waiting, knocking = lobby.waiting(1), lobby.admit(2)
    assert [d["certid"] for d in lobby.ask(LIST_LOBBY_DEVICES).data["listLobbyDevices"]["devices"]] == [waiting]
    named = lobby.ask(LIST_LOBBY_DEVICES, {"devstate": "knocking"}).data["listLobbyDevices"]["devices"]
    assert [d["certid"] for d in named] == [knocking]


@pytest.mark.parametrize("devstate", ["lobby", "", "INLOBBY", "\u202e"])
def test_an_unknown_state_is_rejected_with_the_known_states(lobby: Lobby, devstate: str) -> None:
    response = lobby.ask(LIST_LOBBY_DEVICES, {"devstate": devstate})
    assert response.code == "INVALID_STATE"
    assert "inlobby" in response.body["errors"][0]["message"]


@pytest.mark.parametrize("count", [0, 101, 2_000_000_000])
def test_any_count_that_v01_accepts_returns_a_page(lobby: Lobby, count: int) -> None:
    assert lobby.ask(LIST_DEVICES, {"count": count}).data["listDevices"]["nextToken"] is None


def test_a_negative_count_is_rejected(lobby: Lobby) -> None:
    assert lobby.ask(LIST_DEVICES, {"count": -1}).code == "INVALID_COUNT"
