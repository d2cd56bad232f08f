"""The entry point of the pages' Lambda: API Gateway HTTP API events (payload format 2.0) to the console's pages.

It has no permissions except to write its log. It imports neither GraphQL nor AWS's SDK. A first visit of the console
requests about thirty files, and these requests must not use runs of the API's Lambda. A missing setting raises an error
that names it. Files are sent as base64, because its size is predictable (`handler`).
"""

import os
import secrets
from functools import cache, partial
from typing import Any, cast

from mangum import Mangum

from admin_api.settings import SignInSettings
from admin_api.web.built_console import DIST, EARLIER, BuiltConsole
from admin_api.web.pages import Pages
from admin_api.web.site import create_site


@cache
def _application() -> Mangum:
    settings = SignInSettings.read(os.environ)
    pages = Pages(BuiltConsole.read(DIST, EARLIER), settings, partial(secrets.token_urlsafe, 16))
    return Mangum(
        cast(Any, create_site(pages.routes(), pages.missing)), lifespan="off", text_mime_types=["application/json"]
    )


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    response: dict[str, Any] = _application()(event, context)
    return response


if os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
    _application()
