"""The GraphQL documents about devices, their claims and targets, and the user. A test validates them against the API's
schema."""

from typing import Final

from admin_api.cli.documents import MAX_ALIASES, Document

_PROBLEM_FIELDS: Final = "certid code message clientId place count firstAt lastAt"
_LIST_FIELDS: Final = """
  certid devicename expectedName devstate targetaccount targetregion enteredAt reason profile generation
  claimedBy claimedAt firstSeen lobbyRegion previousTargets { account region } allowedActions shortForm labelCode
  expectedAt waitsFor online onlineSince"""
_RENEWAL: Final = "renewal { stage by overdue unable }"
_DEVICE_FIELDS: Final = f"""{_LIST_FIELDS}
  {_RENEWAL}
  suspicion {{ signal at place addresses message dismissedAt }}
  message config endpoint lastSeen clientVersion showsCode triesLeft enrolment model campaign
  standby {{ target {{ account region }} status evacuated pending visited reason }}
  connectionProblems {{ {_PROBLEM_FIELDS} }}"""
_HISTORY_FIELDS: Final = """
  historyIntact
  history(last: $last) { seq at actor event before after generation reason target prior hash }"""

ME: Final = Document("query { me { name role operations } }")
OVERVIEW: Final = Document("""
query {
  overview {
    total states { state count } targets { account region count states { state count } } reasons { state reason count }
    renewals {
      at due overdue unable expiringCertificates expiringAuthorities { kind ca name ends problem }
    }
  }
}""")
DEVICES: Final = Document(f"""
query($filter: DeviceFilter, $first: Int!, $after: String, $count: Boolean = false) {{
  devices(filter: $filter, first: $first, after: $after) {{
    total @include(if: $count) nodes {{ {_LIST_FIELDS} {_RENEWAL} }} pageInfo {{ hasNextPage endCursor }}
  }}
}}""")
DEVICE: Final = Document(f"""
query($certid: ID!, $last: Int!) {{
  device(certid: $certid) {{
    {_DEVICE_FIELDS}
    certificate {{ subject issuer serialNumber notBefore notAfter key signature }} {_HISTORY_FIELDS}
  }}
}}""")
HISTORY: Final = Document(f"""
query($certid: ID!, $last: Int!) {{ device(certid: $certid) {{ certid devicename devstate {_HISTORY_FIELDS} }} }}""")
ANCHORED: Final = Document("""
query($first: Int!, $after: ID) {
  anchoredDevices(first: $first, after: $after) { certids pageInfo { hasNextPage endCursor } }
}""")
EXPORT_HISTORY: Final = Document("""
query($certid: ID!) { exportHistory(certid: $certid) { certid fileName content key } }""")
TARGETS: Final = Document("""
query {
  targets(includeArchived: true) {
    account region name profiles presence rate clones createdBy createdAt archivedAt externalId setupCommand
    lane { waiting pace pausedBy pausedAt silentSince progressAt }
    standby {
      target { account region } certificates placed prepared evacuatedAt away left askedBy campaign
    }
  }
}""")
TARGET_TEMPLATE: Final = Document("""
query($account: String!, $region: String!, $format: TemplateFormat!) {
  targetTemplate(account: $account, region: $region, format: $format) { fileName content quickCreateUrl }
}""")
TARGET_HISTORY: Final = Document("""
query($account: String!, $region: String!) {
  targetHistory(account: $account, region: $region) { at actor event detail }
}""")


def _target_change(operation: str, *, repeatable: bool = True) -> Document:
    """Return a mutation that changes one target."""
    text = f"{operation}(account: $account, region: $region) {{ account region name archivedAt }}"
    return Document(f"mutation($account: String!, $region: String!) {{ {text} }}", repeatable)


RENAME_TARGET: Final = Document("""
mutation($account: String!, $region: String!, $name: String!) {
  renameTarget(account: $account, region: $region, name: $name) { account region name archivedAt }
}""")
ARCHIVE_TARGET: Final = _target_change("archiveTarget")
RESTORE_TARGET: Final = _target_change("restoreTarget")
REMOVE_TARGET: Final = _target_change("removeTarget", repeatable=False)
PAUSE_TARGET: Final = Document("""
mutation($account: String!, $region: String!) {
  pauseTarget(account: $account, region: $region) { account region }
}""")
RESUME_TARGET: Final = Document("""
mutation($account: String!, $region: String!) {
  resumeTarget(account: $account, region: $region) { account region }
}""")
CONNECTION_PROBLEMS: Final = Document(f"""
query($first: Int!) {{ connectionProblems(first: $first) {{ {_PROBLEM_FIELDS} }} }}""")
CHECK_TARGET: Final = Document("""
query($account: String!, $region: String!) {
  checkTarget(account: $account, region: $region) { account region ok endpoint findings { step ok message } }
}""")
_COMPARISON: Final = "account region compared next differences { certid devicename code message repair repaired }"
RECONCILE: Final = Document(f"""
query($account: String!, $region: String!, $after: String) {{
  reconcileTarget(account: $account, region: $region, after: $after) {{ {_COMPARISON} }}
}}""")
REPAIR: Final = Document(f"""
mutation($account: String!, $region: String!, $after: String) {{
  repairTarget(account: $account, region: $region, after: $after) {{ {_COMPARISON} }}
}}""")
COMPARISONS: Final = Document("""
query {
  targetComparisons {
    account region
    running { beganAt step listed compared examined differences }
    last { beganAt completedAt compared examined differences unexamined missing empty days byDevice }
    failed { at code message }
  }
}""")
REGISTER_TARGET: Final = Document("""
mutation(
  $account: String!, $region: String!, $name: String!, $profiles: [String!], $presence: Boolean, $rate: Float
  $clones: ClonePolicy
) {
  registerTarget(
    account: $account, region: $region, name: $name, profiles: $profiles, presence: $presence, rate: $rate
    clones: $clones
  ) {
    account region name profiles presence rate clones createdBy createdAt externalId setupCommand
  }
}""")
CLAIM: Final = Document(f"""
mutation($certids: [ID!]!, $target: TargetInput!, $profile: String, $config: JSON, $expectedNames: [String]) {{
  claimDevices(
    certids: $certids, target: $target, profile: $profile, config: $config, expectedNames: $expectedNames
  ) {{
    results {{ certid ok code message device {{ {_LIST_FIELDS} }} }}
  }}
}}""")
CONFIRM: Final = Document(
    f"""
mutation($certid: ID!, $code: String!) {{ confirmPresence(certid: $certid, code: $code) {{ {_DEVICE_FIELDS} }} }}""",
    repeatable=False,
)
"""Each wrong code counts as an attempt."""
PREVIEW_CHANGE: Final = Document("""
query($change: ChangeInput!, $devices: [ChosenDevice!], $filter: DeviceFilter, $first: Int!, $after: String) {
  previewChange(change: $change, devices: $devices, filter: $filter, first: $first, after: $after) {
    devices {
      certid ok changes code message generation state
      device {
        certid devicename expectedName devstate targetaccount targetregion generation previousTargets { account region }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}""")
CHANGE: Final = Document(f"""
mutation($change: ChangeInput!, $devices: [ChosenDevice!]!) {{
  changeDevices(change: $change, devices: $devices) {{
    results {{ certid ok code message forgotten device {{ {_LIST_FIELDS} }} }}
  }}
}}""")
"""Repeatable, because the lobby changes each device only if it still has the generation of the look-up."""


def devices_by_fingerprint(count: int) -> Document:
    """Return a query for `count` devices with the variables `c0` …; each device has its variable's name as alias."""
    numbers = range(count)
    declarations = ", ".join(f"$c{n}: ID!" for n in numbers)
    selections = " ".join(f"c{n}: device(certid: $c{n}) {{ ...fields }}" for n in numbers)
    return Document(f"query({declarations}) {{ {selections} }} fragment fields on Device {{ {_DEVICE_FIELDS} }}")


def histories_verified(count: int) -> Document:
    """Return a query that verifies the histories of `count` devices, with variables and aliases `c0` …."""
    numbers = range(count)
    declarations = ", ".join(f"$c{n}: ID!" for n in numbers)
    selections = " ".join(f"c{n}: verifyHistory(certid: $c{n}) {{ ...fields }}" for n in numbers)
    names = "certid ok entries anchored pending seq code message"
    return Document(f"query({declarations}) {{ {selections} }} fragment fields on HistoryCheck {{ {names} }}")


ALL: Final = (
    ME,
    OVERVIEW,
    DEVICES,
    DEVICE,
    HISTORY,
    EXPORT_HISTORY,
    TARGETS,
    TARGET_HISTORY,
    TARGET_TEMPLATE,
    RENAME_TARGET,
    ARCHIVE_TARGET,
    RESTORE_TARGET,
    REMOVE_TARGET,
    CONNECTION_PROBLEMS,
    CHECK_TARGET,
    RECONCILE,
    COMPARISONS,
    REPAIR,
    REGISTER_TARGET,
    PAUSE_TARGET,
    RESUME_TARGET,
    CLAIM,
    CONFIRM,
    PREVIEW_CHANGE,
    CHANGE,
    devices_by_fingerprint(1),
    devices_by_fingerprint(MAX_ALIASES),
    ANCHORED,
    histories_verified(MAX_ALIASES),
)
