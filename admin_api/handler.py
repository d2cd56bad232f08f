"""The Lambda: an API Gateway HTTP API event (payload format 2.0) in, the application's answer out.

The application is put together at the first request and kept; a missing setting shows there, with its name,
and lets nobody in. Nothing but JSON is answered as text: base64 makes of any file 4/3 of it, while text grows by
whatever has to be escaped, and Lambda's answers end at 6 MB.
"""

import os
import secrets
from functools import cache, partial
from typing import Any, Final, cast

from mangum import Mangum

from admin_api.failures import logger
from admin_api.services import services_of
from admin_api.settings import Settings
from admin_api.web.app import create_app
from admin_api.web.built_console import DIST, BuiltConsole
from admin_api.web.pages import Pages
from admin_api.web.tokens import Verifier, pool_keys

_TEXT: Final = ["application/json", "application/graphql-response+json"]


@cache
def _application() -> Mangum:
    settings = Settings.read(os.environ)
    verifier = Verifier(settings.issuer, settings.client_id, pool_keys(settings))
    pages = Pages(BuiltConsole.read(DIST), settings, partial(secrets.token_urlsafe, 16))
    app = create_app(verifier, services_of(settings), pages.routes())
    return Mangum(cast(Any, app), lifespan="off", text_mime_types=_TEXT)


@logger.inject_lambda_context(correlation_id_path="requestContext.requestId")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    answer: dict[str, Any] = _application()(event, context)
    return answer
