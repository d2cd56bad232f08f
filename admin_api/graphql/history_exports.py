"""The signed export of a device's history. `lobby-verify` verifies it without a network."""

import hashlib
import json
from base64 import b64decode

import strawberry

from admin_api.graphql.arguments import Certid
from admin_api.graphql.context import Context, Info, operation
from admin_api.graphql.limits import Resource
from lobby.domain.history.history_export import digest, signed
from lobby.text.label import decode_label


@strawberry.type(description="A device's history with its row and anchors, signed by the lobby.")
class HistoryExport:
    certid: strawberry.ID = strawberry.field(description="The fingerprint of the device.")
    file_name: str = strawberry.field(description="A name for the file.")
    content: str = strawberry.field(description="The file: JSON, for `lobby-verify`.")
    key: str = strawberry.field(
        description="The SHA-256 of the public key, as `SHA256:` and hex. Send it to the recipient separately."
    )


@strawberry.type(description="The operation that exports histories.")
class HistoryExportQuery:
    @operation(
        "Returns a device's history as a signed file that anyone can verify without the lobby; null if the device is"
        " unknown. At most 4,000 entries, and one device in a request."
    )
    def export_history(self, info: Info, certid: Certid) -> HistoryExport | None:
        return export_of(info.context, certid)


def export_of(context: Context, certid: str) -> HistoryExport | None:
    """Return the signed export of a device's history, or None if there is no history. Raise `InvalidInput`
    INVALID_COUNT for a second export in a request, or `Conflict` HISTORY_TOO_LONG."""
    fingerprint, services = decode_label(certid), context.services
    context.quota.consume(Resource.EXPORTS, 1)
    export = services.histories.export(fingerprint, services.identity, context.caller.actor)
    if export is None:
        return None
    signature = services.sign_history(digest(export))
    return HistoryExport(
        certid=strawberry.ID(fingerprint),
        file_name=f"history-{fingerprint[:12]}.json",
        content=json.dumps(signed(export, signature), indent=1) + "\n",
        key=f"SHA256:{hashlib.sha256(b64decode(signature.key)).hexdigest()}",
    )
