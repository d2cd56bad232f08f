"""Which actions a device's policy may allow, and on which resources.

A resource is the device's own if it contains the name of the connected thing as a whole level, before any wildcard. In
a policy, `*` and `?` match any characters, including `/`. So `app/*/${thing}` would include other devices' topics, and
`app/${thing}*` the topics of a device whose name starts with this one's. In a topic filter, `+` and `#` have the same
effect. `iot:Connect` cannot be granted: every policy contains it, for the device's own thing.
"""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from lobby.domain.targets.profile import THING

_ANY: Final = "*"
ACTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "iot:Publish": "topic",
        "iot:RetainPublish": "topic",
        "iot:Receive": "topic",
        "iot:Subscribe": "topicfilter",
        "iot:GetRetainedMessage": "topic",
        "iot:GetThingShadow": "thing",
        "iot:UpdateThingShadow": "thing",
        "iot:DeleteThingShadow": "thing",
        "iot:ListNamedShadowsForThing": _ANY,
        "iot:GetPendingJobExecutions": "thing",
        "iot:StartNextPendingJobExecution": "thing",
        "iot:DescribeJobExecution": "thing",
        "iot:UpdateJobExecution": "thing",
        "iot:AssumeRoleWithCertificate": "rolealias",
    }
)
"""Actions that a device can use, each with the type of its resource (AWS IoT developer guide, "AWS IoT Core policy
actions" and "AWS IoT Core action resources")."""
_CHARACTERS: Final = re.compile(r"[!-~]{1,256}")
_VARIABLE: Final = re.compile(r"\$\{[^}]*\}?")


def resource_problem(resource: str, types: Collection[str], *, shared: bool) -> str | None:
    """Return the rule that `resource` breaks, or None. `types` are the types of the statement's actions."""
    if resource == _ANY:
        return None if shared and types == {_ANY} else "a type and a name, such as topic/app/${thing}"
    kind, slash, path = resource.partition("/")
    if not _CHARACTERS.fullmatch(resource) or not slash or not path:
        return "a type and a name, such as topic/app/${thing}, of at most 256 visible ASCII characters"
    if types and types != {kind}:
        wanted = " or ".join(sorted(types))
        return f"one of type {wanted}, as its statement's actions need; other types in a statement of their own"
    if any(variable != THING for variable in _VARIABLE.findall(path)):
        return "no variable except ${thing}"
    return None if shared or _is_own(path) else _OWN_RULE


_OWN_RULE: Final = (
    "${thing} as a whole level before any wildcard, so that the resource is the device's own;"
    " or shared: true in its statement"
)


def _is_own(path: str) -> bool:
    before = re.split(r"[*?+#]", path.replace(THING, "\0"), maxsplit=1)[0]
    wildcard_follows = len(before) < len(path.replace(THING, "\0"))
    levels = before.split("/")
    complete = levels[:-1] if wildcard_follows else levels
    return "\0" in complete
