"""The GraphQL documents about claims by serial number. A test validates them against the API's schema."""

from typing import Final

from admin_api.cli.documents import Document

_FIELDS: Final = "serialNumber account region profile config claimedBy claimedAt"
SERIAL_CLAIMS: Final = Document(f"""
query($first: Int!, $after: String) {{
  serialNumberClaims(first: $first, after: $after) {{ nodes {{ {_FIELDS} }} pageInfo {{ hasNextPage endCursor }} }}
}}""")
CLAIM_SERIALS: Final = Document(f"""
mutation($serialNumbers: [String!]!, $target: TargetInput!, $profile: String, $config: JSON) {{
  claimSerialNumbers(serialNumbers: $serialNumbers, target: $target, profile: $profile, config: $config) {{
    results {{ serialNumber ok code message claim {{ {_FIELDS} }} device {{ certid devicename devstate }} }}
  }}
}}""")
WITHDRAW_CLAIM: Final = Document(f"""
mutation($serialNumber: String!) {{
  withdrawSerialNumberClaim(serialNumber: $serialNumber) {{ {_FIELDS} }}
}}""")

ALL: Final = (SERIAL_CLAIMS, CLAIM_SERIALS, WITHDRAW_CLAIM)
