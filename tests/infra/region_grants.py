"""What the roles of a lobby with two Regions may do in addition to those of a lobby with one."""

from typing import Final

FIRST, SECOND = "us-east-1", "eu-central-1"
ACCOUNT = "100000000001"
_TABLE: Final = f"arn:aws:dynamodb:{FIRST}:{ACCOUNT}:table/device-lobby-"
_TRUST: Final = f"arn:aws:s3:::device-lobby-trust-{ACCOUNT}-{SECOND}"
READS: Final = {
    "bouncer": {"dynamodb:GetItem": {f"{_TABLE}certificates"}},
    "registrar": {
        "dynamodb:Scan": {f"{_TABLE}ledger"},
        "dynamodb:BatchGetItem": {f"{_TABLE}certificates"},
        "iot:ListCACertificates": {"*"},
        "iot:DescribeCACertificate": {f"arn:aws:iot:{FIRST}:{ACCOUNT}:cacert/*"},
    },
    "sweeper": {"s3:ListBucket": {_TRUST}},
    "reconciler": {
        "iot:DescribeCACertificate": {f"arn:aws:iot:{SECOND}:{ACCOUNT}:cacert/*"},
        "s3:GetObject": {f"{_TRUST}/crl/*"},
        "s3:ListBucket": {_TRUST},
    },
    "admin-api": {
        "dynamodb:Scan": {f"{_TABLE}ledger"},
        "dynamodb:BatchGetItem": {f"{_TABLE}history"},
        "s3:ListBucketVersions": {f"arn:aws:s3:::device-lobby-notary-{ACCOUNT}-{SECOND}"},
    },
}
"""What a role reads only in a lobby with several Regions, in its own Region and in buckets of the others."""
ELSEWHERE: Final = {
    "commissioner": ["arn:aws:iot:"],
    "sweeper": ["arn:aws:iot:"],
    "registrar": ["arn:aws:iot:"],
    "admin-api": ["arn:aws:ssm:"],
}
"""The services whose resources a role also reaches in the other Regions."""
