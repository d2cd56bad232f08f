"""A table of GraphQL documents that try to claim a device for a target that the technician may not use: constructs that
hide an operation from the authorisation, and values that resemble the technician's own target.

`<own>` and `<other>` are the targets as GraphQL input objects; `<own account>`, `<own region>` and so on are their
parts as text without quotes. `$id` is a device that is waiting in the lobby.
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


BYPASSES: Final[dict[str, str]] = {
    "directly": _mutation(_OTHER),
    "addDevice of v0.1": _mutation(_ADD_OTHER),
    "bulk claim": _mutation(_MANY_OTHER),
    "move": _mutation(_MOVE_OTHER),
    "alias": _mutation(f"me: {_OTHER}"),
    "alias of a permitted operation": _mutation(f"claimDevices: {_ADD_OTHER}"),
    "bulk claim and claim": _mutation(f"a: {_MANY_OTHER}", f"b: {_OTHER}"),
    "addDevice after a claim for the own target": _mutation(f"a: {_OWN}", f"b: {_ADD_OTHER}"),
    "move after a claim for the own target": _mutation(f"a: {_OWN}", f"b: {_MOVE_OTHER}"),
    "presence code after a move": _mutation(f"a: {_OWN}", f"b: {_MOVE_OTHER}", f"c: {_CONFIRM}"),
    "fragment": _mutation("...f", more=f"fragment f on Mutation {{ {_OTHER} }}"),
    "nested fragment": _mutation(
        "...f", more=f"fragment f on Mutation {{ ...g }} fragment g on Mutation {{ {_MANY_OTHER} }}"
    ),
    "inline fragment": _mutation(f"... on Mutation {{ {_ADD_OTHER} }}", "... { __typename }"),
    "@include": _mutation(f"... @include(if: true) {{ {_OTHER} }}"),
    "@skip on the own target": _mutation(f"a: {_OWN.replace(' {', ' @skip(if: true) {', 1)}", f"b: {_OTHER}"),
    "variable default": _mutation(
        "claimDevice(certid: $id, target: $t) { certid }", head="mutation($id: ID!, $t: TargetInput = <other>)"
    ),
    "variable defaults for account and Region": _mutation(
        "claimDevice(certid: $id, target: {account: $a, region: $r}) { certid }",
        head='mutation($id: ID!, $a: String! = "<other account>", $r: String! = "<other region>")',
    ),
    "variable default for the account": _mutation(
        'claimDevice(certid: $id, target: {account: $a, region: "<other region>"}) { certid }',
        head='mutation($id: ID!, $a: String! = "<other account>")',
    ),
    "block strings": _mutation(_CLAIM.format('{account: """<other account>""", region: """\n  <other region>\n  """}')),
    "escaped account": _claim_in("<escaped other account>", "<other region>"),
    "own account, other Region": _claim_in("<own account>", "<other region>"),
    "other account, own Region": _claim_in("<other account>", "<own region>"),
    "trailing space": _claim_in("<other account> ", "<other region>"),
    "trailing line break": _claim_in("<other account>\\n", "<other region>"),
    "both targets in one value": _claim_in("<own account>/<own region>,<other account>", "<other region>"),
    "path traversal": _claim_in("<own account>/../<other account>", "<other region>"),
    "NUL character": _claim_in("<other account>\\u0000<own account>", "<other region>"),
    "wildcard": _claim_in("*", "<other region>"),
    "upper case": _mutation(_CLAIM.format('{account: "<other account>", region: "<OTHER REGION>"}')),
}
"""By construct. No field of any of them may claim the device for the other target."""


def bypass_document(way: str, own: Target, other: Target) -> str:
    text = BYPASSES[way]
    escaped = "".join(f"\\u{ord(digit):04x}" for digit in other.account)
    for name, target in (("own", own), ("other", other)):
        target_input = f'{{account: "{target.account}", region: "{target.region}"}}'
        text = text.replace(f"<{name}>", target_input)
        text = text.replace(f"<{name} account>", target.account).replace(f"<{name} region>", target.region)
    return text.replace("<escaped other account>", escaped).replace("<OTHER REGION>", other.region.upper())


def error_codes(body: dict[str, Any]) -> set[str]:
    """Return the error codes in a response, with or without data."""
    return {error["extensions"]["code"] for error in body.get("errors", [])}
