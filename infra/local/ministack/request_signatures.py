"""Checks the credentials of requests to the AWS APIs.

Difference from AWS: MiniStack does not verify a signature whose access key is an account id. So any caller can act as
the root user of any account. It also has endpoints without credentials that reset or configure it.

A request with an account id as its access key is verified here with Signature Version 4 and the deployment's secret
(IAM user guide, "AWS Signature Version 4 for API requests"): in headers or in the query string, with the request's time
and the digest of its body. Keys of sessions and of IAM users are verified by MiniStack, with their own secrets. A
request without a signature is accepted only for operations that AWS serves without one and the lobby uses.

Unnecessary when: MiniStack verifies the signatures of its root users.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qs

from infra.local.ministack.browser_rules import FORM_PATHS, PAGE_PATHS, TOKEN_PATH, Refusal
from infra.local.ministack.patch_points import PatchPoint

_SIGV4: Final = "ministack.core.sigv4"
_VERIFY_PARAMETERS: Final = (
    *("signature", "secret", "method", "raw_path", "query_params", "headers", "body"),
    *("presigned", "explain"),
)
KEY: Final = PatchPoint("ministack.core.router", "extract_access_key_id", ("headers", "query_params"))
IN_HEADER: Final = PatchPoint(_SIGV4, "parse_header_signature", ("headers",))
IN_QUERY: Final = PatchPoint(_SIGV4, "parse_query_signature", ("query_params",))
VERIFY: Final = PatchPoint(_SIGV4, "header_signature_failure", _VERIFY_PARAMETERS)
SKEW: Final = PatchPoint(_SIGV4, "request_time_failure", ("signature", "now"))
EXPIRED: Final = PatchPoint(_SIGV4, "presigned_request_is_expired", ("amz_date", "expires", "now"))
UNSIGNED: Final = PatchPoint("ministack.core.iam_actions", "unsigned_operations", ("service",))
PATCH_POINTS: Final = (KEY, IN_HEADER, IN_QUERY, VERIFY, SKEW, EXPIRED, UNSIGNED)

ALGORITHM: Final = "AWS4-HMAC-SHA256"
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_OTHER_KEY: Final = re.compile(r"A[A-Z0-9]{15,127}")
"""The access key of a session (ASIA…) or of an IAM user (AKIA…)."""
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_CREDENTIAL_PARAMETERS: Final = frozenset(
    {"x-amz-algorithm", "x-amz-credential", "x-amz-signature", "awsaccesskeyid", "signature"}
)
_MONITORING: Final = frozenset(
    {"/_ministack/health", "/_ministack/ready", "/_ministack/iot/ca.pem", "/_ministack/counters"}
)
_CALLBACKS: Final = ("/_ministack/cfn-response/", "/_ministack/cfn-signal/")
"""Presigned URLs on AWS; here their last part is an unguessable token."""
_API: Final = "/_aws/execute-api/"
_API_HOST: Final = re.compile(r"[a-f0-9]{8}\.execute-api\.localhost:[0-9]+")
_INTERNAL: Final = ("/_ministack", "/_localstack", "/_aws/")
_KEYS: Final = re.compile(r"/[^/]+/\.well-known/(jwks\.json|openid-configuration)")
_USER_INFO: Final = frozenset({"/oauth2/userInfo", "/oauth2/userinfo"})
_COGNITO: Final = "AWSCognitoIdentityProviderService."
_SNS_CERTIFICATES: Final = "/sns-signing/"
_LINKS: Final = frozenset({"ConfirmSubscription", "Unsubscribe"})
"""SNS actions whose token is the credential (SNS API reference)."""

_ADVICE: Final = "the secret is aws_secret_access_key in .local/lobby.json"


@dataclass(frozen=True)
class Request:
    """One HTTP request, without its body. Names of `headers` are lower-case."""

    method: str
    path: str
    """Decoded."""
    raw_path: str
    """As sent, without the query string."""
    query: str
    headers: Mapping[str, str]

    @cached_property
    def params(self) -> dict[str, list[str]]:
        return parse_qs(self.query, keep_blank_values=True)

    @cached_property
    def key(self) -> str:
        """The access key that MiniStack would use."""
        return str(KEY.resolve()(self.headers, self.params))

    @property
    def is_internal(self) -> bool:
        """Whether the path is an endpoint of MiniStack that AWS does not have."""
        return self.path.startswith(_INTERNAL) and not self.path.startswith(_API)

    @cached_property
    def is_unsigned(self) -> bool:
        attempted = self.headers.get("authorization", "").startswith("AWS") or _CREDENTIAL_PARAMETERS & {
            name.lower() for name in self.params
        }
        return not attempted and not self.key

    @property
    def is_root(self) -> bool:
        return _ACCOUNT.fullmatch(self.key) is not None

    @property
    def needs_body(self) -> bool:
        """Whether `refusal` needs the body to decide."""
        return self.is_root or (self.is_unsigned and self._can_be_link)

    @property
    def _can_be_link(self) -> bool:
        is_form = self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        return (self.method, self.path, self.query) == ("POST", "/", "") and is_form

    def refusal(self, secret: str, body: bytes) -> Refusal | None:
        """Return why the credentials are refused, or None."""
        if self.is_root:
            return self._root_refusal(secret, body)
        if self.is_unsigned:
            if self._is_public(body):
                return None
            message = f"got {self.method} {self.path} without a signature, want one of the root user: {_ADVICE}"
            return Refusal("MissingAuthenticationToken", message)
        if not _OTHER_KEY.fullmatch(self.key):
            message = f"got access key {self.key[:40]!r}, want a 12-digit account id or the key of a session: {_ADVICE}"
            return Refusal("InvalidClientTokenId", message)
        if self.is_internal:
            message = f"got {self.method} {self.path} with access key {self.key}, want the signature of a root user"
            return Refusal("AccessDenied", message)
        return None

    def _is_public(self, body: bytes) -> bool:
        """Return whether the request needs no signature: AWS serves it without one, or it is harmless and the local
        cloud needs it."""
        if self.is_internal:
            token = self.method == "PUT" and self.path.startswith(_CALLBACKS)
            return token or (self.method == "GET" and self.path in _MONITORING)
        if self.path.startswith(_API) or _API_HOST.fullmatch(self.headers.get("host", "").lower()):
            return True  # the API authorizes its callers
        if (self.method, self.path, self.query) == ("POST", "/", ""):
            return self._is_public_operation(body)
        if self.method == "GET":
            return (
                self.path.startswith(_SNS_CERTIFICATES)
                or self.path in PAGE_PATHS | _USER_INFO
                or _KEYS.fullmatch(self.path) is not None
            )
        return self.method == "POST" and self.path in FORM_PATHS | _USER_INFO | {TOKEN_PATH}

    def _is_public_operation(self, body: bytes) -> bool:
        if "x-amz-target" in self.headers:
            prefix, _, operation = self.headers["x-amz-target"].partition(_COGNITO)
            return not prefix and operation in UNSIGNED.resolve()("cognito-idp")
        action = parse_qs(body.decode("latin-1")).get("Action", [])
        return self._can_be_link and len(action) == 1 and action[0] in _LINKS

    def _root_refusal(self, secret: str, body: bytes) -> Refusal | None:
        in_header = self.headers.get("authorization", "").startswith(ALGORITHM)
        if not in_header and self.params.get("X-Amz-Algorithm") != [ALGORITHM]:
            return Refusal("IncompleteSignature", f"got no {ALGORITHM} signature of access key {self.key}, want one")
        signature = IN_HEADER.resolve()(self.headers) if in_header else IN_QUERY.resolve()(self.params)
        if isinstance(signature, tuple):
            return Refusal(*signature)
        if signature.access_key_id != self.key or "host" not in signature.signed_headers.split(";"):
            return Refusal("IncompleteSignature", f"got an ambiguous signature, want one of {self.key} that signs Host")
        return self._time_refusal(signature, in_header) or self._content_refusal(signature, in_header, secret, body)

    def _content_refusal(self, signature: Any, in_header: bool, secret: str, body: bytes) -> Refusal | None:
        if VERIFY.resolve()(
            signature, secret, self.method, self.raw_path, self.params, self.headers, body, presigned=not in_header
        ):
            return Refusal("SignatureDoesNotMatch", f"got a signature of {self.key} with another secret: {_ADVICE}")
        digest = self.headers.get("x-amz-content-sha256", "")
        if in_header and _SHA256.fullmatch(digest) and digest != hashlib.sha256(body).hexdigest():
            return Refusal("XAmzContentSHA256Mismatch", f"got a body that is not the signed one, {digest}")
        return None

    def _time_refusal(self, signature: Any, in_header: bool) -> Refusal | None:
        if in_header or "X-Amz-Expires" not in self.params:
            skewed = SKEW.resolve()(signature)
            return Refusal(*skewed) if skewed else None
        expires = self.params["X-Amz-Expires"][0]
        try:
            expired = EXPIRED.resolve()(signature.amz_date, expires)
        except (ValueError, OverflowError):
            return Refusal("IncompleteSignature", f"got X-Amz-Expires {expires[:20]!r}, want seconds")
        return Refusal("AccessDenied", "Request has expired") if expired else None
