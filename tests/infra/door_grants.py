"""The complete grants of the roles that admit devices, by role, action and resource."""

TABLE = "arn:aws:dynamodb:us-east-1:100000000001:table/device-lobby-"
IOT = "arn:aws:iot:us-east-1:100000000001:"
SQS = "arn:aws:sqs:us-east-1:100000000001:device-lobby-"
NOTARY = "arn:aws:s3:::device-lobby-notary-100000000001-us-east-1"
TRUST = "arn:aws:s3:::device-lobby-trust-100000000001-us-east-1"
CAMPAIGNS = f"{SQS}campaigns.fifo"
LANES = {f"{SQS}lanes.fifo", f"{SQS}express.fifo"}
NOTICES = "arn:aws:sns:us-east-1:100000000001:device-lobby-notices"
SECRETS = "arn:aws:ssm:us-east-1:100000000001:parameter/device-lobby/webhooks/*"  # pragma: allowlist secret
LAMBDA = "arn:aws:lambda:us-east-1:100000000001:function:device-lobby-"
DOOR_GRANTS: dict[str, dict[str, set[str]]] = {
    "device-lobby-bouncer": {
        "dynamodb:GetItem": {f"{TABLE}ledger", f"{TABLE}names", f"{TABLE}registrations", f"{TABLE}enrolments"},
        "dynamodb:BatchGetItem": {f"{TABLE}registrations"},
        "dynamodb:PutItem": {
            f"{TABLE}certificates",
            f"{TABLE}ledger",
            f"{TABLE}names",
            f"{TABLE}history",
            f"{TABLE}registrations",
        },
        "dynamodb:UpdateItem": {
            f"{TABLE}ledger",
            f"{TABLE}counts",
            f"{TABLE}registrations",
            f"{TABLE}enrolments",
        },
        "dynamodb:DeleteItem": {f"{TABLE}enrolments"},
        "dynamodb:Query": {f"{TABLE}history", f"{TABLE}enrolments", f"{TABLE}targets"},
        "lambda:InvokeFunction": {f"{LAMBDA}allocation-*"},
        "iot:DescribeCertificate": {f"{IOT}cert/*"},
        "iot:UpdateCertificate": {f"{IOT}cert/*"},
        "iot:AttachPolicy": {f"{IOT}cert/*"},
        "iot:DescribeCACertificate": {f"{IOT}cacert/*"},
        "iot:CreateThing": {f"{IOT}thing/*"},
        "iot:AttachThingPrincipal": {"*"},
        "s3:GetObject": {"arn:aws:s3:::device-lobby-trust-100000000001-us-east-1/crl/*"},
        "s3:ListBucket": {"arn:aws:s3:::device-lobby-trust-100000000001-us-east-1"},
        "sqs:ReceiveMessage": {f"{SQS}registrations"},
        "sqs:DeleteMessage": {f"{SQS}registrations"},
        "sqs:GetQueueAttributes": {f"{SQS}registrations"},
        "sqs:ChangeMessageVisibility": {f"{SQS}registrations"},
        "sqs:SendMessage": {f"{SQS}undelivered"},
    },
    "device-lobby-provisioning": {
        "dynamodb:GetItem": {f"{TABLE}ledger", f"{TABLE}names", f"{TABLE}enrolments"},
        "dynamodb:BatchGetItem": {f"{TABLE}ledger", f"{TABLE}certificates"},
        "dynamodb:PutItem": {f"{TABLE}certificates", f"{TABLE}ledger", f"{TABLE}names", f"{TABLE}history"},
        "dynamodb:UpdateItem": {f"{TABLE}ledger", f"{TABLE}counts", f"{TABLE}enrolments"},
        "dynamodb:DeleteItem": {f"{TABLE}enrolments"},
        "dynamodb:Query": {f"{TABLE}history", f"{TABLE}targets"},
        "lambda:InvokeFunction": {f"{LAMBDA}allocation-*"},
        "iot:DescribeCertificate": {f"{IOT}cert/*"},
    },
    "device-lobby-registrar": {
        "dynamodb:GetItem": {f"{TABLE}{name}" for name in ("ledger", "enrolments", "rounds", "certificates", "names")},
        "dynamodb:PutItem": {
            f"{TABLE}{name}" for name in ("ledger", "history", "enrolments", "rounds", "certificates", "names")
        },
        "dynamodb:UpdateItem": {f"{TABLE}ledger", f"{TABLE}enrolments", f"{TABLE}counts"},
        "dynamodb:Query": {f"{TABLE}history", f"{TABLE}enrolments", f"{TABLE}ledger/index/by-transfer-keys"},
        "dynamodb:BatchGetItem": {f"{TABLE}ledger"},
        "iot:CreateThing": {f"{IOT}thing/*"},
        "iot:AttachThingPrincipal": {"*"},
        "iot:DescribeCertificate": {f"{IOT}cert/*"},
        "iot:UpdateCertificate": {f"{IOT}cert/*"},
        "iot:AttachPolicy": {f"{IOT}cert/*"},
        "iot:DeleteCertificate": {f"{IOT}cert/*"},
        "iot:CreateCertificateFromCsr": {"*"},
        "iot:RegisterCertificateWithoutCA": {"*"},
        "iot:ListCertificates": {"*"},
        "iot:ListAttachedPolicies": {"*"},
    },
    "device-lobby-template": {
        "iot:DescribeCertificate": {f"{IOT}cert/*"},
        "iot:UpdateCertificate": {f"{IOT}cert/*"},
        "iot:AttachPolicy": {f"{IOT}cert/*"},
        "iot:DescribeThing": {f"{IOT}thing/*"},
        "iot:CreateThing": {f"{IOT}thing/*"},
        "iot:AttachThingPrincipal": {"*"},
        "iot:GetPolicy": {f"{IOT}policy/device-lobby-waiting"},
    },
    "device-lobby-vending": {
        "dynamodb:GetItem": {f"{TABLE}ledger", f"{TABLE}names", f"{TABLE}enrolments"},
        "dynamodb:BatchGetItem": {f"{TABLE}ledger", f"{TABLE}certificates"},
        "dynamodb:PutItem": {f"{TABLE}certificates", f"{TABLE}ledger", f"{TABLE}names", f"{TABLE}history"},
        "dynamodb:UpdateItem": {f"{TABLE}ledger", f"{TABLE}counts", f"{TABLE}enrolments"},
        "dynamodb:DeleteItem": {f"{TABLE}enrolments"},
        "dynamodb:Query": {f"{TABLE}history", f"{TABLE}targets"},
        "lambda:InvokeFunction": {f"{LAMBDA}allocation-*"},
        "iot:DescribeCertificate": {f"{IOT}cert/*"},
        "iot:UpdateCertificate": {f"{IOT}cert/*"},
        "iot:DeleteCertificate": {f"{IOT}cert/*"},
        "iot:AttachPolicy": {f"{IOT}cert/*"},
        "iot:CreateThing": {f"{IOT}thing/*"},
        "iot:UpdateThing": {f"{IOT}thing/*"},
        "iot:CreateCertificateFromCsr": {"*"},
        "iot:CreateKeysAndCertificate": {"*"},
        "iot:AttachThingPrincipal": {"*"},
        "iot:DescribeEndpoint": {"*"},
        "ssm:GetParameter": {"arn:aws:ssm:us-east-1:100000000001:parameter/device-lobby/vending"},
    },
    "device-lobby-vending-authorizer": {
        "dynamodb:GetItem": {f"{TABLE}enrolments"},
        "dynamodb:BatchGetItem": {f"{TABLE}enrolments"},
        "dynamodb:UpdateItem": {f"{TABLE}enrolments"},
    },
}
