"""The GraphQL documents about enrolments. A test validates them against the API's schema."""

from typing import Final

from admin_api.cli.documents import Document

_CLAIM_FIELDS: Final = "certificateId enrolment state expires source createsKeys createdBy createdAt"
_FIELDS: Final = f"""
  name door state match {{ ca subject {{ field value }} namePattern listed }} limit starts ends model
  allocation {{ targets {{ account region weight }} function profile config presence }}
  admitted listLength refusals {{ reason count }} createdBy createdAt
  repeat provisioningTemplate endpoint claimCertificates {{ {_CLAIM_FIELDS} }}"""

ENROLMENTS: Final = Document(f"query {{ enrolments {{ {_FIELDS} }} }}")
ENROLMENT_HISTORY: Final = Document("""
query($name: String!) { enrolmentHistory(name: $name) { at actor event detail } }""")
CREATE_ENROLMENT: Final = Document(f"""
mutation(
  $name: String!, $match: EnrolmentMatchInput!, $limit: Int, $starts: String, $ends: String, $model: String,
  $allocation: AllocationInput, $paused: Boolean!, $door: String!, $repeat: String
) {{
  createEnrolment(
    name: $name, match: $match, limit: $limit, starts: $starts, ends: $ends, model: $model, allocation: $allocation,
    paused: $paused, door: $door, repeat: $repeat
  ) {{ {_FIELDS} }}
}}""")
CHANGE_ENROLMENT: Final = Document(f"""
mutation($name: String!, $limit: Int, $starts: String, $ends: String, $repeat: String) {{
  changeEnrolment(name: $name, limit: $limit, starts: $starts, ends: $ends, repeat: $repeat) {{ {_FIELDS} }}
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
)
