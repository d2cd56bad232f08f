"""How a technician might reach a target that is not theirs, as one table: GraphQL's ways to say a thing so that a guard
looks at another, and values that look like the own target.

`<own>` and `<other>` are the targets as GraphQL input objects, `<own account>` and so on their parts as text without
quotes; `$id` is a device that waits in the lobby.
"""

from typing import Any, Final

from lobby.names import Target

_CLAIM: Final = "claimDevice(certid: $id, target: {}) {{ certid }}"
_OWN: Final = _CLAIM.format("<own>")
_OTHER: Final = _CLAIM.format("<other>")
_ADD_OTHER: Final = (
    'addDevice(certid: $id, targetaccount: "<other account>", targetregion: "<other region>") { certid }'
)
_MANY_OTHER: Final = "claimDevices(certids: [$id], target: <other>) { results { ok } }"
_MOVE_OTHER: Final = "moveDevice(certid: $id, target: <other>) { certid }"
_CONFIRM: Final = 'confirmPresence(certid: $id, code: "48291375") { certid }'


def _mutation(*fields: str, head: str = "mutation($id: ID!)", more: str = "") -> str:
    return f"{head} {{ {' '.join(fields)} }} {more}"


def _claim_in(account: str, region: str) -> str:
    return _mutation(_CLAIM.format(f'{{account: "{account}", region: "{region}"}}'))


TRICKS: Final[dict[str, str]] = {
    "plainly": _mutation(_OTHER),
    "v0.1's way": _mutation(_ADD_OTHER),
    "in bulk": _mutation(_MANY_OTHER),
    "by a move": _mutation(_MOVE_OTHER),
    "under an alias": _mutation(f"me: {_OTHER}"),
    "under the alias of what is allowed": _mutation(f"claimDevices: {_ADD_OTHER}"),
    "beside what is allowed": _mutation(f"a: {_MANY_OTHER}", f"b: {_OTHER}"),
    "after the own target, to which it was claimed": _mutation(f"a: {_OWN}", f"b: {_ADD_OTHER}"),
    "after the own target, by a move": _mutation(f"a: {_OWN}", f"b: {_MOVE_OTHER}"),
    "by a code, after the own target": _mutation(f"a: {_OWN}", f"b: {_MOVE_OTHER}", f"c: {_CONFIRM}"),
    "in a fragment": _mutation("...f", more=f"fragment f on Mutation {{ {_OTHER} }}"),
    "in a fragment of a fragment": _mutation(
        "...f", more=f"fragment f on Mutation {{ ...g }} fragment g on Mutation {{ {_MANY_OTHER} }}"
    ),
    "in an inline fragment": _mutation(f"... on Mutation {{ {_ADD_OTHER} }}", "... { __typename }"),
    "included by a directive": _mutation(f"... @include(if: true) {{ {_OTHER} }}"),
    "the own one skipped": _mutation(f"a: {_OWN.replace(' {', ' @skip(if: true) {', 1)}", f"b: {_OTHER}"),
    "by a variable": _mutation(
        "claimDevice(certid: $id, target: $t) { certid }", head="mutation($id: ID!, $t: TargetInput = <other>)"
    ),
    "by the variable's parts": _mutation(
        "claimDevice(certid: $id, target: {account: $a, region: $r}) { certid }",
        head='mutation($id: ID!, $a: String! = "<other account>", $r: String! = "<other region>")',
    ),
    "by half of a variable": _mutation(
        'claimDevice(certid: $id, target: {account: $a, region: "<other region>"}) { certid }',
        head='mutation($id: ID!, $a: String! = "<other account>")',
    ),
    "in block strings": _mutation(
        _CLAIM.format('{account: """<other account>""", region: """\n  <other region>\n  """}')
    ),
    "escaped": _claim_in("<escaped other account>", "<other region>"),
    "the own account, the other Region": _claim_in("<own account>", "<other region>"),
    "the other account, the own Region": _claim_in("<other account>", "<own region>"),
    "with a space after it": _claim_in("<other account> ", "<other region>"),
    "with a line after it": _claim_in("<other account>\\n", "<other region>"),
    "both in one": _claim_in("<own account>/<own region>,<other account>", "<other region>"),
    "a path back": _claim_in("<own account>/../<other account>", "<other region>"),
    "with an end of text in it": _claim_in("<other account>\\u0000<own account>", "<other region>"),
    "every account": _claim_in("*", "<other region>"),
    "in capitals": _mutation(_CLAIM.format('{account: "<other account>", region: "<OTHER REGION>"}')),
}
"""By the way it is tried. Of each, no field may claim the device for the other target."""


def filled(trick: str, own: Target, other: Target) -> str:
    text = TRICKS[trick]
    escaped = "".join(f"\\u{ord(digit):04x}" for digit in other.account)
    for name, target in (("own", own), ("other", other)):
        both = f'{{account: "{target.account}", region: "{target.region}"}}'
        text = text.replace(f"<{name}>", both)
        text = text.replace(f"<{name} account>", target.account).replace(f"<{name} region>", target.region)
    return text.replace("<escaped other account>", escaped).replace("<OTHER REGION>", other.region.upper())


def refusals(body: dict[str, Any]) -> set[str]:
    """The codes in an answer, whichever shape it has."""
    return {error["extensions"]["code"] for error in body.get("errors", [])}
