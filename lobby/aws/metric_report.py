"""Reports the counts of one Lambda run in its log, from which CloudWatch takes them (embedded metric format).

Zeros are also reported, so that missing data means that there was no run.
"""

from collections.abc import Mapping

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from lobby.aws.metrics import NAMESPACE


def report(service: str, counts: Mapping[str, int]) -> None:
    """Report counts by metric name."""
    metrics = EphemeralMetrics(namespace=NAMESPACE, service=service)
    for name, count in counts.items():
        metrics.add_metric(name, MetricUnit.Count, count)
    metrics.flush_metrics()
