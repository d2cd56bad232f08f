"""Enforces AWS IoT's rules for the attributes, types and groups of things.

Differences from AWS: MiniStack stores any attributes, any number of them and of groups, and gives things a deprecated
type. On AWS:
- A thing has at most 3 attributes without a thing type, and 50 with one; their names and values have limited characters
  and lengths (AWS IoT endpoints and quotas, "Things"; API reference, AttributePayload).
- No thing gets a deprecated type (API reference, DeprecateThingType). A thing that has it keeps it.
- A thing type has at most 3 searchable attributes (quotas).
- A thing is in at most 10 groups, and in one group of a hierarchy (developer guide, "Add a thing to a static thing
  group").

Unnecessary when: MiniStack enforces these rules.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from infra.local.ministack.patch_points import PatchPoint

_IOT: Final = "ministack.services.iot"
CREATE: Final = PatchPoint(_IOT, "_create_thing", ("name", "payload"))
UPDATE: Final = PatchPoint(_IOT, "_update_thing", ("name", "payload"))
CREATE_TYPE: Final = PatchPoint(_IOT, "_create_thing_type", ("name", "payload"))
ADD_TO_GROUP: Final = PatchPoint(_IOT, "_add_thing_to_group", ("payload",))
NAMES: Final = PatchPoint(_IOT, "_membership_names", ("payload",))
THINGS: Final = PatchPoint(_IOT, "_things")
TYPES: Final = PatchPoint(_IOT, "_thing_types")
GROUPS: Final = PatchPoint(_IOT, "_thing_groups")
ERROR: Final = PatchPoint("ministack.core.responses", "error_response_json")
PATCH_POINTS: Final = (CREATE, UPDATE, CREATE_TYPE, ADD_TO_GROUP, NAMES, THINGS, TYPES, GROUPS, ERROR)
MAX_ATTRIBUTES: Final = 50
MAX_UNTYPED_ATTRIBUTES: Final = 3
MAX_SEARCHABLE: Final = 3
MAX_GROUPS: Final = 10
_NAME: Final = re.compile(r"[a-zA-Z0-9_.,@/:#-]{1,128}")
_VALUE: Final = re.compile(r"[a-zA-Z0-9_.,@/:#=\[\]-]{0,800}")


def attributes_problem(attributes: Mapping[str, str], *, has_type: bool) -> str | None:
    """Return why a thing cannot have these attributes."""
    for name, value in attributes.items():
        if not _NAME.fullmatch(name):
            return f"got attribute {name!r}, want a name that matches {_NAME.pattern}"
        if not _VALUE.fullmatch(value):
            return f"got {value!r} for attribute {name}, want a value that matches {_VALUE.pattern}"
    most = MAX_ATTRIBUTES if has_type else MAX_UNTYPED_ATTRIBUTES
    if len(attributes) > most:
        return f"got {len(attributes)} attributes of a thing {'with' if has_type else 'without'} a type, want {most}"
    return None


def updated(attributes: Mapping[str, str], payload: Mapping[str, Any]) -> dict[str, str]:
    """Return the attributes of a thing after UpdateThing with this `attributePayload`. An empty value removes one."""
    given = payload.get("attributes") or {}
    kept = dict(attributes) if payload.get("merge") else {}
    return {name: value for name, value in (kept | given).items() if value}


def root_of(group: str, groups: Mapping[str, Any]) -> str:
    """Return the topmost group of the hierarchy of `group`."""
    parent = str((groups[group].get("thingGroupMetadata") or {}).get("parentGroupName"))
    return root_of(parent, groups) if parent in groups else group


def group_problem(group: str, joined: list[str], groups: Mapping[str, Any]) -> str | None:
    """Return why a thing in the groups `joined` cannot also be in `group`."""
    others = [each for each in joined if each in groups and each != group]
    if group not in groups or group in joined:
        return None
    if len(others) >= MAX_GROUPS:
        return f"got a thing in {len(others)} thing groups, want at most {MAX_GROUPS}"
    related = [each for each in others if root_of(each, groups) == root_of(group, groups)]
    return f"got a thing in {related[0]}, which is in the same hierarchy as {group}" if related else None


def apply() -> None:
    """Check requests before MiniStack processes them."""
    CREATE.wrap(_creating)
    UPDATE.wrap(_updating)
    CREATE_TYPE.wrap(_creating_type)
    ADD_TO_GROUP.wrap(_adding)


def _refuse(problem: str) -> Any:
    return ERROR.resolve()("InvalidRequestException", problem, 400)


def _is_deprecated(thing_type: str | None) -> bool:
    found = TYPES.resolve().get(thing_type) if thing_type else None
    return bool(found and found["thingTypeMetadata"].get("deprecated"))


def _creating(original: Callable[..., Any]) -> Callable[..., Any]:
    def create(name: str, payload: dict[str, Any]) -> Any:
        thing_type = payload.get("thingTypeName")
        attributes = (payload.get("attributePayload") or {}).get("attributes") or {}
        problem = attributes_problem(attributes, has_type=bool(thing_type))
        if problem is None and _is_deprecated(thing_type) and name not in THINGS.resolve():
            problem = f"Can not create new thing with deprecated thing type: {thing_type}"
        return original(name, payload) if problem is None else _refuse(problem)

    return create


def _updating(original: Callable[..., Any]) -> Callable[..., Any]:
    def update(name: str, payload: dict[str, Any]) -> Any:
        thing = THINGS.resolve().get(name)
        if thing is None:
            return original(name, payload)
        before, wanted = thing.get("thingTypeName"), payload.get("thingTypeName")
        thing_type = None if payload.get("removeThingType") else wanted or before
        attributes = thing.get("attributes", {})
        if "attributePayload" in payload:
            attributes = updated(attributes, payload["attributePayload"] or {})
        problem = attributes_problem(attributes, has_type=bool(thing_type))
        if problem is None and thing_type != before and _is_deprecated(thing_type):
            problem = f"Can not update a thing to use deprecated thing type: {thing_type}"
        return original(name, payload) if problem is None else _refuse(problem)

    return update


def _creating_type(original: Callable[..., Any]) -> Callable[..., Any]:
    def create(name: str, payload: dict[str, Any]) -> Any:
        searchable = (payload.get("thingTypeProperties") or {}).get("searchableAttributes") or []
        if len(searchable) > MAX_SEARCHABLE:
            return _refuse(f"got {len(searchable)} searchable attributes, want at most {MAX_SEARCHABLE}")
        return original(name, payload)

    return create


def _adding(original: Callable[..., Any]) -> Callable[..., Any]:
    async def add(payload: dict[str, Any]) -> Any:
        group, name, error = NAMES.resolve()(payload)
        thing = None if error else THINGS.resolve().get(name)
        if thing is not None:
            problem = group_problem(group, thing.get("thingGroupNames", []), GROUPS.resolve())
            if problem is not None:
                return _refuse(problem)
        return await original(payload)

    return add
