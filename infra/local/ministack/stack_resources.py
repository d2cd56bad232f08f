"""Makes stacks refuse to create existing resources and to delete protected ones, as CloudFormation does.

Differences from AWS:
- A stack that creates a table or a role fails if one of that name exists (CloudFormation user guide,
  "Troubleshooting": resource already exists). MiniStack replaces it, and a table loses its items.
- A change set with ImportExistingResources adopts an existing `AWS::DynamoDB::GlobalTable`. MiniStack adopts only
  `AWS::DynamoDB::Table`.
- The validation of a change set accepts a bucket that it adopts. MiniStack reports a conflict of names.
- A table or user pool with deletion protection cannot be deleted (`DeletionProtectionEnabled` of its replica,
  `DeletionProtection`). MiniStack deletes it.

Unnecessary when: MiniStack does the same.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

_PROVISIONERS: Final = "ministack.services.cloudformation.provisioners"
HANDLERS: Final = PatchPoint(_PROVISIONERS, "_RESOURCE_HANDLERS")
IMPORT_TABLE: Final = PatchPoint(_PROVISIONERS, "_ddb_import", ("identifier",))
LOOKUPS: Final = PatchPoint("ministack.services.cloudformation.changesets", "_IMPORT_LOOKUPS")
FIND_TABLE: Final = PatchPoint("ministack.services.cloudformation.changesets", "_table_import_problem", ("name",))
TABLES: Final = PatchPoint("ministack.services.dynamodb", "_tables")
ROLES: Final = PatchPoint("ministack.services.iam", "_roles")
POOLS: Final = PatchPoint("ministack.services.cognito", "_user_pools")
CONFLICT: Final = PatchPoint(_PROVISIONERS, "s3_bucket_name_conflict", ("name",))
PATCH_POINTS: Final = (HANDLERS, IMPORT_TABLE, LOOKUPS, FIND_TABLE, TABLES, ROLES, POOLS, CONFLICT)
TABLE: Final = "AWS::DynamoDB::GlobalTable"
ROLE: Final = "AWS::IAM::Role"
POOL: Final = "AWS::Cognito::UserPool"
Handler = Callable[..., Any]


def is_protected(properties: Mapping[str, Any]) -> bool:
    """Return whether a replica of a global table has deletion protection. Only one replica is checked."""
    return any(str(each.get("DeletionProtectionEnabled")).lower() == "true" for each in properties.get("Replicas", []))


def apply() -> None:
    """Change the handlers of tables, roles and user pools."""
    handlers, tables, roles = HANDLERS.resolve(), TABLES.resolve(), ROLES.resolve()
    table, role, pool = handlers[TABLE], handlers[ROLE], handlers[POOL]
    role["create"] = _unless_exists(role["create"], "RoleName", roles, ROLE)
    table["create"] = _protecting(_unless_exists(table["create"], "TableName", tables, TABLE), tables, 1)
    table["update"] = _protecting(table["update"], tables, 2)
    table["delete"] = _unless_protected(
        table["delete"], lambda name: bool((tables.get(name) or {}).get("DeletionProtectionEnabled")), TABLE
    )
    table["import"] = IMPORT_TABLE.resolve()
    LOOKUPS.resolve()[TABLE] = (("TableName",), FIND_TABLE.resolve())
    CONFLICT.wrap(lambda _original: lambda _name: None)  # the bucket's handler refuses it, unless it is adopted
    pools = POOLS.resolve()
    pool["delete"] = _unless_protected(
        pool["delete"], lambda name: (pools.get(name) or {}).get("DeletionProtection") == "ACTIVE", POOL
    )


def _unless_exists(create: Handler, key: str, existing: Any, kind: str) -> Handler:
    def creating(logical_id: str, properties: dict[str, Any], *rest: Any, **more: Any) -> Any:
        name = properties.get(key)
        if name and existing.get(name) is not None:
            raise ValueError(f"Resource of type '{kind}' with identifier '{name}' already exists.")
        return create(logical_id, properties, *rest, **more)

    return creating


def _protecting(provision: Handler, tables: Any, place: int) -> Handler:
    """Store the deletion protection of the replica, which MiniStack ignores. `place` is the position of the
    properties."""

    def provisioning(*arguments: Any, **more: Any) -> Any:
        result = provision(*arguments, **more)
        table = tables.get(result[0])
        if table is not None:
            table["DeletionProtectionEnabled"] = is_protected(arguments[place])
        return result

    return provisioning


def _unless_protected(delete: Handler, protected: Callable[[str], bool], kind: str) -> Handler:
    def deleting(physical_id: str, *rest: Any, **more: Any) -> Any:
        if protected(physical_id):
            raise ValueError(f"{kind} {physical_id} cannot be deleted as it is currently protected against deletion.")
        return delete(physical_id, *rest, **more)

    return deleting
