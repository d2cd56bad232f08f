"""A key in the local cloud's KMS that the lobby may sign devices' certificates with (`signingKeys`).

The key is created on request, once for each state directory, and is found again by its alias. The lobby's template
contains the key's ARN, so each state directory with a key needs its own synthesis.
"""

from typing import Any, Final

ALIAS: Final = "alias/local-signing-key"


def signing_key(kms: Any) -> str:
    """Return the ARN of the key, which is created if it does not exist."""
    for page in kms.get_paginator("list_aliases").paginate():
        for alias in page["Aliases"]:
            if alias["AliasName"] == ALIAS:
                return str(kms.describe_key(KeyId=alias["TargetKeyId"])["KeyMetadata"]["Arn"])
    made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    kms.create_alias(AliasName=ALIAS, TargetKeyId=made["KeyId"])
    return str(made["Arn"])
