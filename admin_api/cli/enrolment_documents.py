"""The GraphQL documents about enrolments. A test validates them against the API's schema."""

from typing import Final

from admin_api.cli.documents import Document

_FIELDS: Final = """
  name door state match { ca subject { field value } namePattern listed } limit starts ends model
  allocation { targets { account region weight } function profile config presence }
  admitted listLength refusals { reason count } createdBy createdAt"""

ENROLMENTS: Final = Document(f"query {{ enrolments {{ {_FIELDS} }} }}")
ENROLMENT_HISTORY: Final = Document("""
query($name: String!) { enrolmentHistory(name: $name) { at actor event detail } }""")
CREATE_ENROLMENT: Final = Document(f"""
mutation(
  $name: String!, $match: EnrolmentMatchInput!, $limit: Int, $starts: String, $ends: String, $model: String,
  $allocation: AllocationInput, $paused: Boolean!
) {{
  createEnrolment(
    name: $name, match: $match, limit: $limit, starts: $starts, ends: $ends, model: $model, allocation: $allocation,
    paused: $paused
  ) {{ {_FIELDS} }}
}}""")
CHANGE_ENROLMENT: Final = Document(f"""
mutation($name: String!, $limit: Int, $starts: String, $ends: String) {{
  changeEnrolment(name: $name, limit: $limit, starts: $starts, ends: $ends) {{ {_FIELDS} }}
}}""")
ADD_SERIAL_NUMBERS: Final = Document("""
mutation($enrolment: String!, $serialNumbers: [String!]!) {
  addSerialNumbers(enrolment: $enrolment, serialNumbers: $serialNumbers) { enrolment added }
}""")
PAUSE_ENROLMENT: Final = Document(f"mutation($name: String!) {{ pauseEnrolment(name: $name) {{ {_FIELDS} }} }}")
RESUME_ENROLMENT: Final = Document(f"mutation($name: String!) {{ resumeEnrolment(name: $name) {{ {_FIELDS} }} }}")
REVOKE_ENROLMENT: Final = Document(f"mutation($name: String!) {{ revokeEnrolment(name: $name) {{ {_FIELDS} }} }}")

ALL: Final = (
    ENROLMENTS,
    ENROLMENT_HISTORY,
    CREATE_ENROLMENT,
    CHANGE_ENROLMENT,
    ADD_SERIAL_NUMBERS,
    PAUSE_ENROLMENT,
    RESUME_ENROLMENT,
    REVOKE_ENROLMENT,
)
