"""The GraphQL documents of `lobbyctl transfers`."""

from typing import Final

from admin_api.cli.documents import Document

_RESULTS: Final = "{ document results { certid devicename devstate ok code message } }"
OFFER: Final = Document(f"""
mutation($certids: [ID!]!, $to: String!, $offer: String!, $days: Int!) {{
  offerDevices(certids: $certids, to: $to, offer: $offer, days: $days) {_RESULTS}
}}""")
WITHDRAW: Final = Document(f"""
mutation($certids: [ID!]!, $offer: String) {{ withdrawTransfers(certids: $certids, offer: $offer) {_RESULTS} }}""")
LIST: Final = Document("""
query($step: TransferStep!, $offer: String, $first: Int!, $after: String) {
  transfers(step: $step, offer: $offer, first: $first, after: $after) {
    nodes { certid devicename devstate transfer { step offer partner at by expires expired endpoint until ended } }
    pageInfo { hasNextPage endCursor }
  }
}""")
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
ALL: Final = (OFFER, WITHDRAW, LIST, READ, ACCEPT, COMPLETE)
