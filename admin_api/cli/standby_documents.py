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
mutation($account: String!, $region: String!, $why: String) {{
  returnTarget(account: $account, region: $region, why: $why) {{ {_FIELDS} }}
}}""")
ALL: Final = (SET, EVACUATE, RETURN)
