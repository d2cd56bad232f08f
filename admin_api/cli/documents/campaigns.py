"""The GraphQL documents about campaigns. A test validates them against the API's schema.

All of them can be sent again: a repeated preview, creation or control of a campaign changes nothing.
"""

from typing import Final

from admin_api.cli.documents import Document

_FIELDS: Final = """
  name operation target { account region } profile config why state stoppedBecause source sourceCampaign undoes undoneBy
  createdBy createdAt approvedBy takenOverBy startedAt endedAt canary canaryArrived maxFailureRate total changing
  unchanged
  refusals { code count } counts { pending waiting awaited done failed refused unchanged superseded }
  failures { code count } seconds allowedActions expectedEnd waitsFor"""

CAMPAIGNS: Final = Document(f"""
query($first: Int!, $after: String) {{
  campaigns(first: $first, after: $after) {{ nodes {{ {_FIELDS} }} pageInfo {{ hasNextPage endCursor }} }}
}}""")
CAMPAIGN: Final = Document(f"query($name: String!) {{ campaign(name: $name) {{ {_FIELDS} }} }}")
CAMPAIGN_HISTORY: Final = Document("""
query($name: String!) { campaign(name: $name) { history { at actor event detail } } }""")
RESULTS: Final = Document("""
query($name: String!, $outcome: String, $first: Int!, $after: String) {
  campaignResults(name: $name, outcome: $outcome, first: $first, after: $after) {
    nodes {
      certid outcome code previousTarget { account region } previousProfile
      device { devicename devstate reason targetaccount targetregion }
    }
    pageInfo { hasNextPage endCursor }
  }
}""")
PREVIEW: Final = Document("""
query(
  $change: ChangeInput!, $devices: [ChosenDevice!], $filter: CampaignFilter, $failedOf: String, $after: String
) {
  previewCampaign(change: $change, devices: $devices, filter: $filter, failedOf: $failedOf, after: $after) {
    total changing unchanged refusals { code count } seconds limitedBy { account region } needsApproval approvalAbove
    pageInfo { hasNextPage endCursor }
  }
}""")
CREATE: Final = Document(f"""
mutation(
  $name: String!, $change: ChangeInput!, $devices: [ChosenDevice!], $filter: CampaignFilter, $failedOf: String,
  $complete: Boolean!, $canary: Int!, $maxFailureRate: Float!
) {{
  createCampaign(
    name: $name, change: $change, devices: $devices, filter: $filter, failedOf: $failedOf, complete: $complete,
    canary: $canary, maxFailureRate: $maxFailureRate
  ) {{ {_FIELDS} }}
}}""")
ADD: Final = Document(f"""
mutation($name: String!, $devices: [ChosenDevice!]!, $offset: Int!, $complete: Boolean!) {{
  addCampaignDevices(name: $name, devices: $devices, offset: $offset, complete: $complete) {{ {_FIELDS} }}
}}""")
APPROVE: Final = Document(f"mutation($name: String!) {{ approveCampaign(name: $name) {{ {_FIELDS} }} }}")
PAUSE: Final = Document(f"mutation($name: String!) {{ pauseCampaign(name: $name) {{ {_FIELDS} }} }}")
RESUME: Final = Document(f"mutation($name: String!) {{ resumeCampaign(name: $name) {{ {_FIELDS} }} }}")
CANCEL: Final = Document(f"mutation($name: String!) {{ cancelCampaign(name: $name) {{ {_FIELDS} }} }}")
UNDO: Final = Document(f"""
mutation($name: String!, $as: String) {{ undoCampaign(name: $name, as: $as) {{ {_FIELDS} }} }}""")

ALL: Final = (
    CAMPAIGNS,
    CAMPAIGN,
    CAMPAIGN_HISTORY,
    RESULTS,
    PREVIEW,
    CREATE,
    ADD,
    APPROVE,
    PAUSE,
    RESUME,
    CANCEL,
    UNDO,
)
