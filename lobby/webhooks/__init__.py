"""Webhooks: where events may be sent, how a request is signed and sent, and the Lambda that delivers."""
