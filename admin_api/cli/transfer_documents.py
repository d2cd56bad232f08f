"""The GraphQL documents of `lobbyctl transfers`."""

from typing import Final

from admin_api.cli.documents import Document

_RESULTS: Final = "{ document results { certid devicename devstate ok code message } }"
OFFER: Final = Document(f"""
mutation($certids: [ID!]!, $to: String!, $offer: String!, $days: Int!) {{
  offerDevices(certids: $certids, to: $to, offer: $offer, days: $days) {_RESULTS}
}}""")
WITHDRAW: Final = Document(f"""
mutation($certids: [ID!]!) {{ withdrawTransfers(certids: $certids) {_RESULTS} }}""")
READ: Final = Document("""
query($text: String!, $key: String!) {
  transferDocument(document: $text, key: $key) { kind offer lobby endpoint expires devices }
}""")
ACCEPT: Final = Document(f"""
mutation($text: String!, $key: String!) {{ acceptTransfer(document: $text, key: $key) {_RESULTS} }}""")
COMPLETE: Final = Document(f"""
mutation($text: String!, $key: String!, $days: Int!) {{
  completeTransfer(document: $text, key: $key, days: $days) {_RESULTS}
}}""")
ALL: Final = (OFFER, WITHDRAW, READ, ACCEPT, COMPLETE)
