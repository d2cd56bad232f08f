"""Counts refused claims in a metric, which an alarm watches. The metrics library is imported when the first one is
counted."""

from lobby.aws.metrics import CLAIMS_LIMITED, NAMESPACE


def count_limited_claim() -> None:
    from aws_lambda_powertools import Metrics  # noqa: PLC0415  # an import that most requests do not need
    from aws_lambda_powertools.metrics import MetricUnit  # noqa: PLC0415

    metrics = Metrics(namespace=NAMESPACE, service="admin-api")
    metrics.add_metric(name=CLAIMS_LIMITED, unit=MetricUnit.Count, value=1)
    metrics.flush_metrics()
