"""Documents whose execution could cost the API far more than their size suggests. Each must be rejected or be cheap."""

from admin_api.graphql.limits import MAX_ALIASES


def doubling(levels: int, last: str) -> str:
    """Return a document in which each fragment spreads the next one twice: 2^levels paths."""
    each = (f"fragment f{n} on DevicePage {{ ...f{n + 1} ...f{n + 1} }}" for n in range(levels))
    return " ".join(["{ devices { ...f0 } }", *each, f"fragment f{levels} on DevicePage {{ {last} }}"])


def aliased(field: str, times: int) -> str:
    return "{ " + " ".join(f"a{n}: {field}" for n in range(times)) + " }"


BULK = 'claimDevices(certids: ["a"], target: {account: "", region: ""}) { results { ok } }'
ATTACKS = {
    "one field 1,900 times": "{ overview { total " + "total " * 1900 + "} }",
    "one field 1,900 times in lists": "{ " + ("devices { nodes { " + "certid " * 38 + "} } ") * 44 + "}",
    "one field 100 times with fields below": "{ " + "devices { nodes { previousTargets { account } } } " * 100 + "}",
    "one field with an argument 150 times": "{ " + "devices(first: 5) { nodes { certid } } " * 150 + "}",
    "fragments that double, with many fields": doubling(9, "nodes { " + "certid " * 1700 + "}"),
    "fragments that double forty times": doubling(40, "pageInfo { hasNextPage }"),
    "many overlapping fragments": "{ devices { "
    + " ".join(f"...g{n}" for n in range(20))
    + " } } "
    + " ".join(f"fragment g{n} on DevicePage {{ nodes {{ {'certid ' * 80} }} }}" for n in range(20)),
    "unused fragments": "{ me { name } } " + " ".join(f"fragment q{n} on Me {{ id }}" for n in range(280)),
    "fragments that spread each other": "{ devices { ...a } } "
    "fragment a on DevicePage { ...b } fragment b on DevicePage { ...a ...a }",
    "a fragment that spreads itself": "{ devices { ...a } } fragment a on DevicePage { nodes { certid } ...a }",
    "many operations": " ".join(f"query q{n} {{ me {{ name }} }}" for n in range(240)),
    "many variables": "query(" + " ".join(f"$v{n}: String" for n in range(480)) + ") { me { name } }",
    "many directives": "{ me { name " + "@include(if: true) " * 300 + "} }",
    "many unknown fields": "{ " + " ".join(f"devicez{n}" for n in range(900)) + " }",
    "many unknown arguments": "{ devices(" + " ".join(f"firsst{n}: 1" for n in range(600)) + ") { nodes { certid } } }",
    "aliases": aliased("me { name }", MAX_ALIASES + 1),
    "aliases of bulks": "mutation " + aliased(BULK, MAX_ALIASES + 1),
    "a long alias in a list": "{ devices { nodes { " + "x" * 20_000 + ": certid } } }",
    "a name of 100,000 characters": "{ " + "x" * 100_000 + " }",
    "a number of 100,000 digits": "{ devices(first: " + "9" * 100_000 + ") { nodes { certid } } }",
    "depth": "{ devices { a { b { c { d { e { f } } } } } } }",
    "unlimited depth": "{ " + "a { " * 900 + "}" * 900,
    "nested inline fragments": "{ " + "... { " * 600 + "me { name } " + "} " * 600 + "}",
    "braces": "{" * 1900,
    "tokens": "{ targets { " + "name " * 2100 + "} }",
    "comments": "#\n" * 40_000 + "{ me }",
    "circular introspection": "{ __schema "
    "{ types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }",
    "introspection in every alias": aliased("__schema { types { fields { name } } }", 6),
    "introspection by name in every alias": aliased('__type(name: "Device") { name }', 6),
    "a too large page": "{ devices(first: 1000) { nodes { certid } } }",
    "a too long history": '{ device(certid: "<id>") { history(last: 1000000) { at } } }',
    "a long invalid cursor": '{ devices(after: "' + "A" * 90_000 + '") { nodes { certid } } }',
}
