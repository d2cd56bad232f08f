"""The API's application: POST /graphql. GraphiQL is disabled."""

from starlette.routing import Route
from starlette.types import ASGIApp

from admin_api.services import Services
from admin_api.web.graphql_http import Endpoint
from admin_api.web.site import create_site
from admin_api.web.tokens import TokenVerifier


def create_app(verifier: TokenVerifier, services: Services) -> ASGIApp:
    return create_site([Route("/graphql", Endpoint(verifier, services), methods=["POST"])])
