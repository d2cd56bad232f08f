"""Creates profiles from the content of their files, and reports everything that breaks a rule.

Each problem names the file, the field, the value and the rule. Rejects policies that let a device act as another one,
policies and values that AWS IoT would not accept, and profiles that contradict each other. A policy's resources are the
device's own unless its statement says `shared`.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from lobby.domain.device import DEFAULT_PROFILE
from lobby.domain.renewals.renewal import RenewalPolicy, parse_policy
from lobby.domain.targets.policy_resources import ACTIONS, resource_problem
from lobby.domain.targets.profile import MAX_UNTYPED_ATTRIBUTES, THING, Profile, Profiles, Statement, ThingType
from lobby.domain.targets.thing_claim import IDENTITY_ATTRIBUTES
from lobby.errors import InvalidInput
from lobby.names import parse_profile, shown

T = TypeVar("T")
MAX_POLICY: Final = 2048
"""Characters of a policy document without white space (AWS IoT endpoints and quotas, "Policy document size")."""
MAX_ATTRIBUTES: Final = 50
"""Attributes of a thing with a thing type, the lobby's included (AWS IoT endpoints and quotas)."""
MAX_SEARCHABLE: Final = 3
MAX_GROUPS: Final = 10
"""Groups of a thing (AWS IoT endpoints and quotas, thing group quotas)."""
MAX_NAMED_GROUPS: Final = 60
"""The number of groups in all profiles: the target's role names each one, and an inline policy has at most 10,240
characters."""
MAX_IN_ROLE: Final = 7_300
"""Characters of the ARNs of all thing types and groups in the target's role; its other permissions need the rest of
10,240 (IAM quotas, role inline policies)."""
_ARN_IN_ROLE: Final = len('"arn:aws:iot:*:000000000000:billinggroup/",')
MAX_PROFILES: Final = 40
_LONGEST_PREFIX: Final = f"arn:aws:iot:{'x' * 16}:{'0' * 12}"
_OF_ENROLMENTS: Final = ("enrolment_attributes", "enrolment_groups")
_FIELDS: Final = (
    *("description", "policy", "thing_type", "attributes", "thing_groups", "billing_group", "renewal"),
    *_OF_ENROLMENTS,
)
_NAME: Final = re.compile(r"[a-zA-Z0-9:_-]{1,128}")
_ATTRIBUTE: Final = re.compile(r"[a-zA-Z0-9_.,@/:#-]{1,128}")
_VALUE: Final = re.compile(r"[a-zA-Z0-9_.,@/:#=\[\]-]{1,800}")
"""AWS IoT removes an attribute whose value is empty (API reference, UpdateThing), so empty values are not allowed."""
_DESCRIPTION: Final = re.compile(r"[\x20-\x7e]{0,256}")
_ATTRIBUTE_RULE: Final = "1 to 128 of the characters a-z A-Z 0-9 _ . , @ / : # -"
_NAME_RULE: Final = "1 to 128 of the characters a-z A-Z 0-9 : _ -"


@dataclass
class _Problems:
    """The problems of one file."""

    file: str
    found: list[str] = field(default_factory=list)

    def add(self, path: str, got: object, want: str) -> None:
        self.found.append(f"{self.file}: {path}: got {shown(got)}, want {want}")


def parse_profiles(contents: Mapping[str, Any], file_of: Callable[[str], str] = str) -> Profiles:
    """Return the profiles in `contents`, by name. `file_of` returns the file of a profile, for messages. Raise
    `InvalidInput` INVALID_PROFILES, which names every problem."""
    found: list[str] = []
    profiles: list[Profile] = []
    for name, content in sorted(contents.items()):
        problems = _Problems(file_of(name))
        profiles.append(_profile(name, content, problems))
        found += problems.found
    if DEFAULT_PROFILE not in contents:
        found.append(f"got no {file_of(DEFAULT_PROFILE)}, want it: a claim without a profile uses it")
    if len(contents) > MAX_PROFILES:
        found.append(f"got {len(contents)} profiles, want at most {MAX_PROFILES}")
    found += _contradictions(profiles, file_of)
    if found:
        raise InvalidInput("INVALID_PROFILES", "\n".join(found))
    return Profiles.of(profiles)


def _profile(name: str, content: Any, problems: _Problems) -> Profile:
    try:
        parse_profile(name)
    except InvalidInput as error:
        problems.found.append(f"{problems.file}: file name: {error.message}")
    content = _mapping(content, "content", _FIELDS, problems)
    statements = tuple(_statements(content.get("policy"), problems))
    thing_type = _thing_type(content.get("thing_type"), problems)
    billing_group = content.get("billing_group")
    settable = _texts(
        content.get("enrolment_attributes"),
        "enrolment_attributes",
        _ATTRIBUTE,
        _ATTRIBUTE_RULE,
        MAX_ATTRIBUTES,
        problems,
    )
    profile = Profile(
        name,
        statements,
        thing_type,
        tuple(sorted(_attributes(content.get("attributes"), thing_type, len(settable), problems))),
        _texts(content.get("thing_groups"), "thing_groups", _NAME, _NAME_RULE, MAX_GROUPS, problems),
        None if billing_group is None else _text(billing_group, "billing_group", _NAME, _NAME_RULE, problems),
        _description(content.get("description"), "description", problems),
        _renewal(content.get("renewal"), problems),
        settable,
        _texts(content.get("enrolment_groups"), "enrolment_groups", _NAME, _NAME_RULE, MAX_GROUPS, problems),
    )
    _check_enrolments(profile, problems)
    document = json.dumps(profile.policy_document(_LONGEST_PREFIX), separators=(",", ":"))
    if len(document) > MAX_POLICY:
        size = f"a document of {len(document)} characters (with the longest Region's name, without spaces)"
        problems.found.append(f"{problems.file}: policy: got {size}, want at most {MAX_POLICY}")
    return profile


def _statements(value: Any, problems: _Problems) -> Iterator[Statement]:
    if isinstance(value, list):
        yield from (_statement(each, f"policy[{number}]", problems) for number, each in enumerate(value))
    elif value is not None:
        problems.add("policy", value, "a list of statements")


def _statement(value: Any, path: str, problems: _Problems) -> Statement:
    body = _mapping(value, path, ("actions", "resources", "shared"), problems)
    shared = body.get("shared", False)
    if not isinstance(shared, bool):
        problems.add(f"{path}.shared", shared, "true or false")
    want = f"actions of devices: {', '.join(ACTIONS)}"
    actions = _texts(body.get("actions"), f"{path}.actions", None, want, len(ACTIONS), problems, wanted=True)
    for action in actions:
        if action not in ACTIONS:
            problems.add(f"{path}.actions", action, want)
    texts = _texts(body.get("resources"), f"{path}.resources", None, "text", 50, problems, wanted=True)
    resources = tuple(text.replace("${thing}", THING) for text in texts)
    types = {ACTIONS[action] for action in actions if action in ACTIONS}
    for resource, text in zip(resources, texts, strict=True):
        problem = resource_problem(resource, types, shared=shared is True)
        if problem:
            problems.add(f"{path}.resources", text, problem)
    return Statement(actions, resources, shared is True)


def _thing_type(value: Any, problems: _Problems) -> ThingType | None:
    if value is None:
        return None
    body = _mapping(value, "thing_type", ("name", "searchable_attributes", "description"), problems)
    searchable = _texts(
        body.get("searchable_attributes"),
        "thing_type.searchable_attributes",
        _ATTRIBUTE,
        _ATTRIBUTE_RULE,
        MAX_SEARCHABLE,
        problems,
    )
    name = _text(body.get("name"), "thing_type.name", _NAME, _NAME_RULE, problems)
    return ThingType(name, searchable, _description(body.get("description"), "thing_type.description", problems))


def _attributes(
    value: Any, thing_type: ThingType | None, settable: int, problems: _Problems
) -> Iterator[tuple[str, str]]:
    """Yield the attributes. `settable` is the number of those that enrolments may set."""
    most = (MAX_ATTRIBUTES if thing_type else MAX_UNTYPED_ATTRIBUTES) - len(IDENTITY_ATTRIBUTES)
    given = len(value) if isinstance(value, dict) else 0
    if given + settable > most:
        limit = f"at most {most} with a thing type" if thing_type else f"at most {most} without a thing_type"
        count = f"{given} attributes" + (f" and {settable} enrolment_attributes" if settable else "")
        problems.found.append(f"{problems.file}: attributes: got {count}, want {limit}")
    if value is None:
        return
    if not isinstance(value, dict):
        problems.add("attributes", value, "names with values")
        return
    for name, text in value.items():
        path = f"attributes.{name}" if isinstance(name, str) and _ATTRIBUTE.fullmatch(name) else "attributes"
        known = _text(
            name, path, _ATTRIBUTE, "a name of 1 to 128 of the characters a-z A-Z 0-9 _ . , @ / : # -", problems
        )
        if known in IDENTITY_ATTRIBUTES:
            problems.add(path, name, f"another name: the lobby writes {', '.join(IDENTITY_ATTRIBUTES)} itself")
        rule = (
            "text of 1 to 800 of the characters a-z A-Z 0-9 _ . , @ / : # = [ ] -; numbers and true or false in quotes"
        )
        yield known, _text(text, path, _VALUE, rule, problems)


def _check_enrolments(profile: Profile, problems: _Problems) -> None:
    """Report names and groups that the profile sets itself. An enrolment adds to what the profile sets, and replaces
    nothing."""
    own = {*dict(profile.attributes), *IDENTITY_ATTRIBUTES}
    for name in profile.enrolment_attributes:
        if name in own:
            problems.add("enrolment_attributes", name, "a name that neither attributes nor the lobby sets")
    for group in profile.enrolment_groups:
        if group in profile.thing_groups:
            problems.add("enrolment_groups", group, "a group that thing_groups does not have")
    if len(profile.thing_groups) + len(profile.enrolment_groups) > MAX_GROUPS:
        problems.add("enrolment_groups", list(profile.enrolment_groups), f"at most {MAX_GROUPS} with thing_groups")


def _renewal(value: Any, problems: _Problems) -> RenewalPolicy | None:
    try:
        return None if value is None else parse_policy(value)
    except InvalidInput as error:
        problems.found.append(f"{problems.file}: renewal: {error.message}")
        return None


def _description(value: Any, path: str, problems: _Problems) -> str:
    return "" if value is None else _text(value, path, _DESCRIPTION, "at most 256 printable ASCII characters", problems)


def _mapping(value: Any, path: str, allowed: tuple[str, ...], problems: _Problems) -> dict[str, Any]:
    if not isinstance(value, dict):
        problems.add(path, value, f"the fields {', '.join(allowed)}")
        return {}
    for name in value:
        if name not in allowed:
            problems.add(path, name, f"only the fields {', '.join(allowed)}")
    return value


def _text(value: Any, path: str, pattern: re.Pattern[str], rule: str, problems: _Problems) -> str:
    if isinstance(value, str) and pattern.fullmatch(value):
        return value
    problems.add(path, value, rule)
    return ""


def _texts(
    value: Any,
    path: str,
    pattern: re.Pattern[str] | None,
    rule: str,
    most: int,
    problems: _Problems,
    *,
    wanted: bool = False,
) -> tuple[str, ...]:
    """Return a list of different texts. `wanted`: the list must not be empty."""
    if value is None and not wanted:
        return ()
    if not isinstance(value, list) or not value or len(value) > most:
        problems.add(path, value, f"a list of 1 to {most}")
        return ()
    found: list[str] = []
    for each in value:
        if not isinstance(each, str) or (pattern and not pattern.fullmatch(each)):
            problems.add(path, each, rule)
        elif each in found:
            problems.add(path, each, "each value once")
        else:
            found.append(each)
    return tuple(found)


def _contradictions(profiles: list[Profile], file_of: Callable[[str], str]) -> Iterator[str]:
    """Yield the reasons why the profiles cannot be used together. Profiles may share thing types and groups, which
    exist once in a target, so the profiles must agree on them."""
    types: dict[str, tuple[str, ThingType]] = {}
    for profile in profiles:
        found = profile.thing_type
        if found is None:
            continue
        first, known = types.setdefault(found.name, (profile.name, found))
        if known != found:
            place = f"{file_of(profile.name)}: thing_type"
            yield f"{place}: got another {found.name} than in {file_of(first)}, want the same one in both"
    groups = Profiles.of(profiles).thing_groups()
    if len(groups) > MAX_NAMED_GROUPS:
        yield f"got {len(groups)} different thing groups in all profiles, want at most {MAX_NAMED_GROUPS}"
    size = _characters_in_role(Profiles.of(profiles))
    if size > MAX_IN_ROLE:
        got = f"thing types and groups that need {size} characters in the role of a target"
        yield f"got {got}, want at most {MAX_IN_ROLE}: use fewer or shorter names"
    yield from _same_names(sorted(each.name for each in profiles))


def _characters_in_role(profiles: Profiles) -> int:
    """Return the size of a profile's names in the role's policy. The role names each type once, and each group twice:
    to find it, and to change its members."""
    named = [*profiles.thing_types(), *(profiles.thing_groups() + profiles.billing_groups()) * 2]
    return sum(len(name) + _ARN_IN_ROLE for name in named)


def _same_names(names: list[str]) -> Iterator[str]:
    """Yield a message for each two profiles whose policies would have the same id in a target's stack, because the ids
    contain no dashes."""
    known: dict[str, str] = {}
    for name in names:
        first = known.setdefault(name.title().replace("-", ""), name)
        if first != name:
            yield f"got profiles {first} and {name}, want names that differ in more than dashes"
