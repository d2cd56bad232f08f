"""The Lambda: an API Gateway HTTP API event (payload format 2.0) in, the application's answer out.

The application is put together at the first request and kept; a missing setting shows there, with its name,
and lets nobody in.
"""

import os
from functools import cache
from typing import Any, cast

from mangum import Mangum

from admin_api.app import create_app
from admin_api.failures import logger
from admin_api.services import services_of
from admin_api.settings import Settings
from admin_api.tokens import Verifier, pool_keys


@cache
def _application() -> Mangum:
    settings = Settings.read(os.environ)
    verifier = Verifier(settings.issuer, settings.client_id, pool_keys(settings))
    return Mangum(cast(Any, create_app(verifier, services_of(settings))), lifespan="off")


@logger.inject_lambda_context(correlation_id_path="requestContext.requestId")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    answer: dict[str, Any] = _application()(event, context)
    return answer
