"""Reports numbers of one run of a Lambda in its log, where CloudWatch takes them from (embedded metric format).

A number that is 0 is reported too, so that silence means that nothing ran.
"""

from collections.abc import Mapping

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from lobby.aws.metrics import NAMESPACE


def report(service: str, numbers: Mapping[str, int]) -> None:
    """Counts, by their names."""
    metrics = EphemeralMetrics(namespace=NAMESPACE, service=service)
    for name, number in numbers.items():
        metrics.add_metric(name, MetricUnit.Count, number)
    metrics.flush_metrics()
