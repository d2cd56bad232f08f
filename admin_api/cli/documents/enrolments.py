"""The GraphQL documents about enrolments. A test validates them against the API's schema."""

from typing import Final

from admin_api.cli.documents import Document

_CLAIM_FIELDS: Final = "certificateId enrolment state expires source createsKeys createdBy createdAt"
_FIELDS: Final = f"""
  name door state match {{ ca subject {{ field value }} namePattern listed }} limit starts ends model
  allocation {{ targets {{ account region weight }} function profile config presence }}
  renewal {{ maximumAge grace }} signer {{ key caCertificate days }} attributes {{ name value }} thingGroups
  admitted listLength refusals {{ reason count }} createdBy createdAt
  repeat provisioningTemplate endpoint claimCertificates {{ {_CLAIM_FIELDS} }}"""

_CREDENTIAL_FIELDS: Final = """
  identifier enrolment state expires maxUses uses issued lastUse thingName createdBy createdAt revokedBy revokedAt"""

ENROLMENTS: Final = Document(f"query {{ enrolments {{ {_FIELDS} }} }}")
ENROLMENT_HISTORY: Final = Document("""
query($name: String!) { enrolmentHistory(name: $name) { at actor event detail } }""")
CREATE_ENROLMENT: Final = Document(f"""
mutation(
  $name: String!, $match: EnrolmentMatchInput!, $limit: Int, $starts: String, $ends: String, $model: String,
  $allocation: AllocationInput, $paused: Boolean!, $door: String!, $repeat: String,
  $renewal: RenewalPolicyInput, $attributes: [ThingAttributeInput!], $thingGroups: [String!], $signer: SignerInput
) {{
  createEnrolment(
    name: $name, match: $match, limit: $limit, starts: $starts, ends: $ends, model: $model, allocation: $allocation,
    paused: $paused, door: $door, repeat: $repeat, renewal: $renewal, attributes: $attributes,
    thingGroups: $thingGroups, signer: $signer
  ) {{ {_FIELDS} }}
}}""")
CHANGE_ENROLMENT: Final = Document(f"""
mutation(
  $name: String!, $limit: Int, $starts: String, $ends: String, $repeat: String, $renewal: RenewalPolicyInput,
  $signer: SignerInput
) {{
  changeEnrolment(
    name: $name, limit: $limit, starts: $starts, ends: $ends, repeat: $repeat, renewal: $renewal, signer: $signer
  ) {{ {_FIELDS} }}
}}""")
ADD_SERIAL_NUMBERS: Final = Document("""
mutation($enrolment: String!, $serialNumbers: [String!]!) {
  addSerialNumbers(enrolment: $enrolment, serialNumbers: $serialNumbers) { enrolment added }
}""")
PAUSE_ENROLMENT: Final = Document(f"mutation($name: String!) {{ pauseEnrolment(name: $name) {{ {_FIELDS} }} }}")
RESUME_ENROLMENT: Final = Document(f"mutation($name: String!) {{ resumeEnrolment(name: $name) {{ {_FIELDS} }} }}")
REVOKE_ENROLMENT: Final = Document(f"mutation($name: String!) {{ revokeEnrolment(name: $name) {{ {_FIELDS} }} }}")
ADD_CLAIM_CERTIFICATE: Final = Document(f"""
mutation($enrolment: String!, $csr: String, $certificatePem: String, $createsKeys: Boolean!) {{
  addClaimCertificate(
    enrolment: $enrolment, csr: $csr, certificatePem: $certificatePem, createsKeys: $createsKeys
  ) {{ {_CLAIM_FIELDS} certificatePem }}
}}""")
REVOKE_CLAIM_CERTIFICATE: Final = Document(f"""
mutation($certificateId: String!) {{ revokeClaimCertificate(certificateId: $certificateId) {{ {_CLAIM_FIELDS} }} }}""")
APPROVE_SERIAL_NUMBER: Final = Document("""
mutation($enrolment: String!, $serialNumber: String!) {
  approveSerialNumber(enrolment: $enrolment, serialNumber: $serialNumber) { enrolment serialNumber until }
}""")

ENROLMENT_TOKENS: Final = Document(f"""
query($enrolment: String!) {{ enrolmentTokens(enrolment: $enrolment) {{ {_CREDENTIAL_FIELDS} }} }}""")
CREATE_ENROLMENT_TOKEN: Final = Document(f"""
mutation($enrolment: String!, $uses: Int!, $expires: String, $thingName: String) {{
  createEnrolmentToken(enrolment: $enrolment, uses: $uses, expires: $expires, thingName: $thingName) {{
    token {{ {_CREDENTIAL_FIELDS} }} secret authorization
  }}
}}""")
REVOKE_ENROLMENT_TOKEN: Final = Document(f"""
mutation($identifier: String!) {{ revokeEnrolmentToken(identifier: $identifier) {{ {_CREDENTIAL_FIELDS} }} }}""")

ALL: Final = (
    ENROLMENTS,
    ENROLMENT_HISTORY,
    CREATE_ENROLMENT,
    CHANGE_ENROLMENT,
    ADD_SERIAL_NUMBERS,
    PAUSE_ENROLMENT,
    RESUME_ENROLMENT,
    REVOKE_ENROLMENT,
    ADD_CLAIM_CERTIFICATE,
    REVOKE_CLAIM_CERTIFICATE,
    APPROVE_SERIAL_NUMBER,
    ENROLMENT_TOKENS,
    CREATE_ENROLMENT_TOKEN,
    REVOKE_ENROLMENT_TOKEN,
)
