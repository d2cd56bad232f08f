"""The mapping of errors to responses."""

import json

import pytest
from graphql import GraphQLError

from admin_api.errors import Forbidden, Unauthenticated
from admin_api.failures import error_response, result_errors
from lobby.errors import Conflict, IdentityRefused, InvalidInput, LobbyError, MissingSettings, NotFound
from lobby.ledger.regions.home_fence import LEASE_EXPIRED, NO_HOME
from tests.documented_codes import documented_codes
from tests.operations import REFUSED


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unauthenticated("m"), 401),
        (Forbidden("m"), 403),
        (InvalidInput("INVALID_X", "m"), 400),
        (NotFound("UNKNOWN_X", "m"), 404),
        (Conflict("ALREADY_CLAIMED", "m"), 409),
    ],
)
def test_an_expected_error_keeps_code_and_message(error: LobbyError, status: int) -> None:
    assert error_response(error, "id") == (status, {"message": "m", "extensions": {"code": error.code}})


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("secret"),
        MissingSettings("MISSING_SETTINGS", "secret"),
        IdentityRefused("X", "secret"),
        LobbyError("X", "secret"),
        KeyError("secret"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_other_errors_are_masked(error: Exception) -> None:
    status, body = error_response(error, "id-7")
    assert (status, body["extensions"]) == (500, {"code": "INTERNAL", "correlationId": "id-7"})
    assert "secret" not in json.dumps(body)


def test_a_wrapped_error_is_mapped_by_its_cause() -> None:
    inner = GraphQLError("inner", original_error=RuntimeError("secret"))
    (body,) = result_errors([GraphQLError("outer", original_error=inner, path=["a"])], "id")
    assert body["extensions"]["code"] == "INTERNAL"


def test_an_error_common_to_list_items_is_returned_once_but_for_each_alias() -> None:
    refusal = InvalidInput("NOT_IN_LISTS", "m")
    lines = [GraphQLError("m", path=["devices", n, "message"], original_error=refusal) for n in range(5)]
    aliases = [GraphQLError("m", path=[f"a{n}"], original_error=refusal) for n in range(3)]
    assert len(result_errors([*lines, *aliases], "id")) == 4


def test_the_codes_of_refused_operations_and_of_regions_are_documented() -> None:
    regions = {"UNKNOWN_REGION", "WRONG_REGION", "REGION_UNREACHABLE", "NOT_HOME", LEASE_EXPIRED, NO_HOME}
    assert [code for code in regions | set(REFUSED.values()) if not documented_codes().fullmatch(code)] == []


@pytest.mark.parametrize("code", ["INTERNAL", "INVALID_", "X_NOT_ALLOWED", "NOT_ALLOWED_X", "code"])
def test_no_other_code_is_documented(code: str) -> None:
    assert documented_codes().fullmatch(code) is None
