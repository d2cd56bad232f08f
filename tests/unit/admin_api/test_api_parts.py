"""The small parts: the committed schema, roles, the surveyor's answer, the table of failures, the guard."""

import io
import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import strawberry
from graphql import GraphQLError

from admin_api.errors import Forbidden, SurveyFailed, Unauthenticated
from admin_api.failures import error_response, result_errors
from admin_api.graphql.context import operation
from admin_api.invocations import run_survey
from admin_api.roles import Caller, Role, caller_of
from admin_api.schema import schema
from admin_api.target_registration import new_external_id
from lobby.contracts import Survey, SurveyFinding
from lobby.errors import Conflict, IdentityRefused, InvalidInput, LobbyError, MissingSettings, NotFound
from lobby.names import parse_target

TARGET = parse_target("111111111111", "eu-west-1")


def test_the_committed_schema_is_the_codes() -> None:
    committed = Path(__file__).parents[3] / "admin_api" / "schema.graphql"
    assert committed.read_text() == schema.as_str() + "\n", "run: python -m admin_api.schema > admin_api/schema.graphql"


def test_an_operation_that_the_table_of_roles_does_not_list_stops_the_schema() -> None:
    def query() -> type:
        @strawberry.type
        class Query:
            @operation("Not in the table.")
            def steal_devices(self) -> str:
                return "all"

        return Query

    with pytest.raises(TypeError, match=r"stealDevices, want one that roles.OPERATIONS lists"):
        strawberry.Schema(query=query())


@pytest.mark.parametrize(
    ("groups", "role", "targets"),
    [
        (["viewer"], Role.VIEWER, set()),
        (["admin", "viewer"], Role.ADMIN, set()),
        (["viewer", "admin"], Role.ADMIN, set()),
        (["technician", f"target:{TARGET}", "target:x", "target:", "target:111111111111/"], Role.TECHNICIAN, {TARGET}),
        (["other", "operator"], Role.OPERATOR, set()),
    ],
)
def test_groups_make_a_role_and_a_technicians_targets(groups: list[str], role: Role, targets: set[Any]) -> None:
    assert caller_of("alice", groups) == Caller("alice", role, frozenset(targets))


def test_an_operation_nobody_listed_is_nobodys() -> None:
    with pytest.raises(Forbidden, match="nobody"):
        Caller("root", Role.ADMIN).require("dropTables")


def test_an_external_id_is_unguessable_and_safe_on_a_command_line() -> None:
    made = {new_external_id() for _ in range(100)}
    assert len(made) == 100
    assert all(len(one) == 32 and one.isalnum() for one in made)


def surveyor(payload: bytes, error: str | None = None) -> Mock:
    answer = {"Payload": io.BytesIO(payload)} | ({"FunctionError": error} if error else {})
    return Mock(invoke=Mock(return_value=answer))


def test_the_surveyor_is_asked_for_the_target_and_its_findings_are_read() -> None:
    findings = [{"step": "sts:AssumeRole", "ok": False, "message": "denied"}]
    client = surveyor(json.dumps({"findings": findings, "endpoint": None}).encode())
    survey = run_survey(client, "surveyor", TARGET)
    assert survey == Survey((SurveyFinding("sts:AssumeRole", False, "denied"),), None)
    assert survey.ok is False
    sent = client.invoke.call_args.kwargs
    assert (sent["FunctionName"], json.loads(sent["Payload"])) == (
        "surveyor",
        {"account": "111111111111", "region": "eu-west-1"},
    )


def test_a_survey_without_findings_proves_nothing() -> None:
    assert run_survey(surveyor(b'{"findings": []}'), "surveyor", TARGET).ok is False


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"findings": 5}',
        b'{"findings": [5]}',
        b'{"findings": [{"step": "a", "ok": 1}]}',
        b'{"findings": [{"step": "a", "ok": "yes", "message": ""}]}',
        b'{"findings": [], "endpoint": 5}',
    ],
)
def test_a_malformed_survey_is_a_fault(payload: bytes) -> None:
    with pytest.raises(SurveyFailed):
        run_survey(surveyor(payload), "surveyor", TARGET)


def test_a_surveyor_that_crashed_is_a_fault() -> None:
    with pytest.raises(SurveyFailed):
        run_survey(surveyor(b'{"errorMessage": "x"}', "Unhandled"), "surveyor", TARGET)


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
def test_an_expected_failure_keeps_its_code_and_its_message(error: LobbyError, status: int) -> None:
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
def test_everything_else_is_masked(error: Exception) -> None:
    status, body = error_response(error, "id-7")
    assert (status, body["extensions"]) == (500, {"code": "INTERNAL", "correlationId": "id-7"})
    assert "secret" not in json.dumps(body)


def test_a_failure_inside_a_failure_is_judged_by_what_was_raised() -> None:
    inner = GraphQLError("inner", original_error=RuntimeError("secret"))
    (body,) = result_errors([GraphQLError("outer", original_error=inner, path=["a"])], "id")
    assert body["extensions"]["code"] == "INTERNAL"


def test_what_befell_every_line_alike_is_told_once_and_what_befell_each_alias_each_time() -> None:
    refusal = InvalidInput("NOT_IN_LISTS", "m")
    lines = [GraphQLError("m", path=["devices", n, "message"], original_error=refusal) for n in range(5)]
    aliases = [GraphQLError("m", path=[f"a{n}"], original_error=refusal) for n in range(3)]
    assert len(result_errors([*lines, *aliases], "id")) == 4
