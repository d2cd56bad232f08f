"""Valid settings of the API."""

VALID_SETTINGS = {
    "AWS_REGION": "eu-west-1",
    "USER_POOL_ID": "eu-west-1_AbC123",
    "USER_POOL_CLIENT_ID": "client",
    "SURVEYOR_FUNCTION": "device-lobby-surveyor",
    "RECONCILER_FUNCTION": "device-lobby-reconciler",
    "REGISTRAR_FUNCTION": "device-lobby-registrar",
    "COMMISSIONER_ROLE_ARN": "arn:aws:iam::012345678901:role/device-lobby-commissioner",
    "NOTICES_TOPIC": "arn:aws:sns:eu-west-1:012345678901:device-lobby-notices",
    "CLAIM_LIMITS": "60/1000/10",
    "HISTORY_KEY": "arn:aws:kms:eu-west-1:012345678901:key/12345678-1234-1234-1234-123456789012",
    "WEBHOOKS_QUEUE": "https://sqs.eu-west-1.amazonaws.com/012345678901/device-lobby-webhooks",
    "ARRIVALS_QUEUE_ARN": "arn:aws:sqs:eu-west-1:012345678901:device-lobby-arrivals",
    "LEFT_THINGS": "mark",
    "CAMPAIGNS_QUEUE": "https://sqs.eu-west-1.amazonaws.com/012345678901/device-lobby-campaigns.fifo",
    "CAMPAIGN_APPROVAL_ABOVE": "1000",
    "LOGIN_URL": "https://device-lobby-012345678901.auth.eu-west-1.amazoncognito.com",
}
