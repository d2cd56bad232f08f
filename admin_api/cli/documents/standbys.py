"""The GraphQL documents about standbys. A test validates them against the API's schema."""

from typing import Final

from admin_api.cli.documents import Document

_FIELDS: Final = """
  account region name
  standby { target { account region } certificates placed prepared evacuatedAt away left askedBy campaign }"""

SET: Final = Document(f"""
mutation($account: String!, $region: String!, $standby: TargetInput, $certificates: StandbyCertificates!) {{
  setStandby(account: $account, region: $region, standby: $standby, certificates: $certificates) {{ {_FIELDS} }}
}}""")
EVACUATE: Final = Document(f"""
mutation($account: String!, $region: String!, $why: String) {{
  evacuateTarget(account: $account, region: $region, why: $why) {{ {_FIELDS} }}
}}""")
RETURN: Final = Document(f"""
mutation($account: String!, $region: String!, $why: String, $shadows: ShadowChoice) {{
  returnTarget(account: $account, region: $region, why: $why, shadows: $shadows) {{ {_FIELDS} }}
}}""")
END_DRILL: Final = Document("""
mutation($account: String!, $region: String!, $why: String) {
  returnTarget(account: $account, region: $region, why: $why, drillOnly: true) { account region }
}""")
DRILL: Final = Document(
    f"""
mutation($account: String!, $region: String!, $share: Float!) {{
  drillTarget(account: $account, region: $region, share: $share) {{ {_FIELDS} }}
}}""",
    repeatable=False,
)
DRILL_RESULTS: Final = Document("""
query($name: String!, $first: Int!, $after: String) {
  campaignResults(name: $name, first: $first, after: $after) {
    nodes { certid outcome code device { devicename devstate enteredAt } }
    pageInfo { hasNextPage endCursor }
  }
}""")
ALL: Final = (SET, EVACUATE, RETURN, END_DRILL, DRILL, DRILL_RESULTS)
