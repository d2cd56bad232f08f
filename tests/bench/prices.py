"""AWS list prices in us-east-1, in USD without free tiers, and the durations that the benchmarks assume.

The pages are "AWS IoT Core pricing", "Amazon DynamoDB pricing" (on demand), "AWS Lambda pricing" (arm64), "Amazon S3
pricing", "Amazon SNS pricing", "Amazon SQS pricing", "Amazon EventBridge pricing", "Amazon API Gateway pricing" (HTTP
API) and "Amazon CloudWatch pricing". AWS's pages insert the numbers by script, so stored copies do not contain them.
The values of IoT Core, DynamoDB, Lambda, S3, SNS and SQS are equal to those that third parties quoted from these pages
in 2024 to 2026. No quotes were found for EventBridge, API Gateway and CloudWatch. Compare all values with those of your
Region before you quote a sum. A hello is published to `$aws/rules/…`: Basic Ingest, which has no price per message (AWS
IoT developer guide, "Reducing messaging costs with Basic Ingest"). Only operations on things, types and groups count as
registry operations ("AWS IoT Core additional metering details"), not operations on certificates and policies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MILLION: Final = 1_000_000


@dataclass(frozen=True)
class Price:
    """USD for one unit of `what`."""

    what: str
    usd: float


PRICES: Final = {
    "connection_minutes": Price("AWS IoT: minutes of connection", 0.08 / MILLION),
    "messages": Price("AWS IoT: messages", 1.00 / MILLION),
    "rules": Price("AWS IoT: rules triggered", 0.15 / MILLION),
    "actions": Price("AWS IoT: actions", 0.15 / MILLION),
    "registry": Price("AWS IoT: registry operations", 1.25 / MILLION),
    "runs": Price("Lambda: requests", 0.20 / MILLION),
    "gb_seconds": Price("Lambda: GB-seconds", 0.0000133334),
    "read_units": Price("DynamoDB: read request units", 0.125 / MILLION),
    "write_units": Price("DynamoDB: write request units", 0.625 / MILLION),
    "log_bytes": Price("CloudWatch Logs: bytes ingested", 0.50 / 1024**3),
    "puts": Price("S3: PUT requests", 5.00 / MILLION),
    "queue_requests": Price("SQS: requests", 0.40 / MILLION),
    "fifo_requests": Price("SQS: requests, FIFO queue", 0.50 / MILLION),
    "notifications": Price("SNS: publishes", 0.50 / MILLION),
    "events": Price("EventBridge: custom events", 1.00 / MILLION),
    "api_requests": Price("API Gateway: requests", 1.00 / MILLION),
}

MEMORY_GB: Final = 0.5
"""Of every Lambda on the devices' side (`infra.parts.functions.Function.memory`)."""
SECONDS_PER_RUN: Final = 0.002
SECONDS_PER_CALL: Final = 0.010
"""Assumed, because a benchmark cannot measure Lambda's billed duration: our code takes 1 to 2 ms, and DynamoDB and AWS
IoT answer in single-digit milliseconds, rounded up."""
PLATFORM_LOG_BYTES: Final = 700
"""Of a run, if the platform's lines are logged: `platform.start` and `platform.report` in JSON (Lambda developer guide,
"Log formats for AWS Lambda"), with the 26 bytes that CloudWatch adds to each line."""
BYTES_PER_LINE: Final = 26


def billed_seconds(runs: float, calls: float) -> float:
    """Return the assumed duration of `runs` that made `calls` to AWS, in seconds."""
    return runs * SECONDS_PER_RUN + calls * SECONDS_PER_CALL


def cost(quantities: Mapping[str, float]) -> dict[str, float]:
    """Return the USD for each quantity. Raise `KeyError` for one without a price."""
    return {name: PRICES[name].usd * quantity for name, quantity in quantities.items()}
