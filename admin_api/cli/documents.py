"""Every GraphQL document that the command line sends. A test holds them against the API's schema.

`repeatable` says that sending it twice does what sending it once does, so that it may be sent again where nobody
knows whether the first one arrived.
"""

from dataclasses import dataclass
from typing import Final

MOST_ALIASES: Final = 20
"""Devices asked for in one request; the API allows 25 aliases."""


@dataclass(frozen=True)
class Document:
    text: str
    repeatable: bool = True


_LISTED: Final = """
  certid devicename devstate targetaccount targetregion enteredAt reason profile generation
  claimedBy claimedAt firstSeen lobbyRegion previousTargets { account region } allowedActions shortForm labelCode"""
_WHOLE: Final = f"""{_LISTED}
  message config endpoint lastSeen clientVersion showsCode triesLeft"""
_HISTORY: Final = """
  historyIntact
  history(last: $last) { seq at actor event before after generation reason target prior hash }"""

ME: Final = Document("query { me { name role operations } }")
OVERVIEW: Final = Document("""
query {
  overview {
    total states { state count } targets { account region count states { state count } } reasons { state reason count }
  }
}""")
DEVICES: Final = Document(f"""
query($filter: DeviceFilter, $first: Int!, $after: String) {{
  devices(filter: $filter, first: $first, after: $after) {{
    nodes {{ {_LISTED} }} pageInfo {{ hasNextPage endCursor }}
  }}
}}""")
DEVICE: Final = Document(f"""
query($certid: ID!, $last: Int!) {{
  device(certid: $certid) {{
    {_WHOLE}
    certificate {{ subject issuer serialNumber notBefore notAfter key signature }} {_HISTORY}
  }}
}}""")
HISTORY: Final = Document(f"""
query($certid: ID!, $last: Int!) {{ device(certid: $certid) {{ certid devicename devstate {_HISTORY} }} }}""")
ANCHORED: Final = Document("""
query($first: Int!, $after: ID) {
  anchoredDevices(first: $first, after: $after) { certids pageInfo { hasNextPage endCursor } }
}""")
TARGETS: Final = Document("""
query { targets { account region name profiles presence createdBy createdAt externalId setupCommand } }""")
CHECK_TARGET: Final = Document("""
query($account: String!, $region: String!) {
  checkTarget(account: $account, region: $region) { account region ok endpoint findings { step ok message } }
}""")
_COMPARED: Final = "account region compared next differences { certid devicename code message repair repaired }"
RECONCILE: Final = Document(f"""
query($account: String!, $region: String!, $after: String) {{
  reconcileTarget(account: $account, region: $region, after: $after) {{ {_COMPARED} }}
}}""")
MEND: Final = Document(f"""
mutation($account: String!, $region: String!, $after: String) {{
  repairTarget(account: $account, region: $region, after: $after) {{ {_COMPARED} }}
}}""")
REGISTER_TARGET: Final = Document("""
mutation($account: String!, $region: String!, $name: String!, $profiles: [String!], $presence: Boolean) {
  registerTarget(account: $account, region: $region, name: $name, profiles: $profiles, presence: $presence) {
    account region name profiles presence createdBy createdAt externalId setupCommand
  }
}""")
CLAIM: Final = Document(f"""
mutation($certids: [ID!]!, $target: TargetInput!, $profile: String, $config: JSON) {{
  claimDevices(certids: $certids, target: $target, profile: $profile, config: $config) {{
    results {{ certid ok code message device {{ {_LISTED} }} }}
  }}
}}""")
CONFIRM: Final = Document(
    f"""
mutation($certid: ID!, $code: String!) {{ confirmPresence(certid: $certid, code: $code) {{ {_WHOLE} }} }}""",
    repeatable=False,
)
"""A wrong code is counted each time that it is sent."""
MOVE: Final = Document(f"""
mutation($certid: ID!, $target: TargetInput!, $profile: String, $config: JSON) {{
  moveDevice(certid: $certid, target: $target, profile: $profile, config: $config) {{ {_WHOLE} }}
}}""")
RELEASE: Final = Document(
    f"""
mutation($certid: ID!) {{ releaseDevice(certid: $certid) {{ certid forgotten device {{ {_WHOLE} }} }} }}""",
    repeatable=False,
)
REVOKE: Final = Document(f"""
mutation($certid: ID!, $why: String!) {{ revokeDevice(certid: $certid, why: $why) {{ {_WHOLE} }} }}""")
RETRY: Final = Document(
    f"""
mutation($certid: ID!) {{ retryDevice(certid: $certid) {{ {_WHOLE} }} }}""",
    repeatable=False,
)


def devices_by_fingerprint(count: int) -> Document:
    """One request for `count` devices, variables `c0` …, each under the alias of its variable."""
    numbers = range(count)
    declared = ", ".join(f"$c{n}: ID!" for n in numbers)
    asked = " ".join(f"c{n}: device(certid: $c{n}) {{ ...known }}" for n in numbers)
    return Document(f"query({declared}) {{ {asked} }} fragment known on Device {{ {_WHOLE} }}")


def histories_verified(count: int) -> Document:
    """Likewise, whether the histories of `count` devices are what they were."""
    numbers = range(count)
    declared = ", ".join(f"$c{n}: ID!" for n in numbers)
    asked = " ".join(f"c{n}: verifyHistory(certid: $c{n}) {{ ...known }}" for n in numbers)
    fields = "certid ok entries anchored pending seq code message"
    return Document(f"query({declared}) {{ {asked} }} fragment known on HistoryCheck {{ {fields} }}")


ALL: Final = (
    ME,
    OVERVIEW,
    DEVICES,
    DEVICE,
    HISTORY,
    TARGETS,
    CHECK_TARGET,
    RECONCILE,
    MEND,
    REGISTER_TARGET,
    CLAIM,
    CONFIRM,
    MOVE,
    RELEASE,
    REVOKE,
    RETRY,
    devices_by_fingerprint(1),
    devices_by_fingerprint(MOST_ALIASES),
    ANCHORED,
    histories_verified(MOST_ALIASES),
)
