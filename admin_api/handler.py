"""The entry point of the API's Lambda: API Gateway HTTP API events (payload format 2.0) to the application.

The application is created during Lambda's initialisation and reused. A missing setting raises an error that names it.
Only JSON responses are text. Other content is base64, because its size is predictable (4/3). Text grows with each
escaped character, and a Lambda response is limited to 6 MB.
"""

import os
from typing import Any, cast

from mangum import Mangum

from admin_api.failures import logger
from admin_api.services import services_of
from admin_api.settings import Settings
from admin_api.web.app import create_app
from admin_api.web.graphql_http import TEXT_TYPES
from admin_api.web.tokens import TokenVerifier, user_pool_keys
from lobby.aws.clients import at_init
from lobby.ledger.connection import connect


@at_init
def _application() -> Mangum:
    settings = Settings.read(os.environ)
    connect()
    verifier = TokenVerifier(settings.issuer, settings.client_id, user_pool_keys(settings))
    app = create_app(verifier, services_of(settings))
    return Mangum(cast(Any, app), lifespan="off", text_mime_types=TEXT_TYPES)


@logger.inject_lambda_context(correlation_id_path="requestContext.requestId")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    response: dict[str, Any] = _application()(event, context)
    return response
