"""The committed schema, and the authorisation of operations by role."""

from pathlib import Path
from typing import Any

import pytest
import strawberry

from admin_api.errors import Forbidden
from admin_api.graphql.context import operation
from admin_api.roles import Caller, Role, caller_of
from admin_api.schema import schema
from lobby.names import parse_target

TARGET = parse_target("111111111111", "eu-west-1")


def test_the_committed_schema_is_up_to_date() -> None:
    committed = Path(__file__).parents[3] / "admin_api" / "schema.graphql"
    assert committed.read_text() == schema.as_str() + "\n", "run: python -m admin_api.schema > admin_api/schema.graphql"


def test_an_operation_outside_the_role_table_fails_the_schema() -> None:
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
def test_groups_determine_the_role_and_the_targets(groups: list[str], role: Role, targets: set[Any]) -> None:
    assert caller_of("alice", groups) == Caller("alice", role, frozenset(targets))


def test_an_unlisted_operation_is_forbidden() -> None:
    with pytest.raises(Forbidden, match="nobody"):
        Caller("root", Role.ADMIN).require("dropTables")
