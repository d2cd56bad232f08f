"""The functions triggered by users: the admin API, with the key that signs exported histories, and the pages.

The key is asymmetric, for signatures only, and only the API's role may use it. When the stack is deleted, KMS deletes
the private key after 30 days. Exports stay verifiable, because each holds the public key.
"""

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from infra.doors import signing_keys
from infra.monitoring import notices
from infra.parts import campaigns, endpoint, front_door, functions, permissions, webhooks
from infra.parts.permissions import allow

if TYPE_CHECKING:
    from infra.lobby_stack import LobbyStack


def make_operator_side(stack: "LobbyStack") -> None:
    login_url = stack.sign_in.login_url
    sign_in = {
        "USER_POOL_ID": stack.sign_in.pool.user_pool_id,
        "USER_POOL_CLIENT_ID": stack.sign_in.client.user_pool_client_id,
        **({"LOGIN_URL": login_url} if login_url else {}),
    }
    key = kms.Key(
        stack,
        "HistoriesKey",
        description="Device Lobby: signs exported histories",
        key_spec=kms.KeySpec.ECC_NIST_P256,
        key_usage=kms.KeyUsage.SIGN_VERIFY,
        removal_policy=RemovalPolicy.DESTROY,
    )
    api = stack.make_function(
        functions.ADMIN_API, _permissions(stack, key), **sign_in, **_environment(stack), HISTORY_KEY=key.key_arn
    )
    pages = stack.make_function(functions.PAGES, [], **sign_in)
    front_door.add_routes(stack.api, api, pages, stack.sign_in)


def _permissions(stack: "LobbyStack", key: kms.Key) -> list[iam.PolicyStatement]:
    return [
        *permissions.admin_api(stack.settings),
        *webhooks.admin_api(stack.settings),
        *notices.admin_api(stack.settings),
        allow("SignHistories", ["kms:GetPublicKey", "kms:Sign"], key.key_arn),
        *signing_keys.prove(stack.settings),
    ]


def _environment(stack: "LobbyStack") -> dict[str, str]:
    settings, queues = stack.settings, stack.queues
    return {
        "WEBHOOKS_QUEUE": stack.webhooks.queue_url,
        "NOTICES_TOPIC": stack.notices.topic_arn,
        **webhooks.environment(settings),
        "SURVEYOR_FUNCTION": functions.SURVEYOR.full_name,
        "RECONCILER_FUNCTION": functions.RECONCILER.full_name,
        "REGISTRAR_FUNCTION": functions.REGISTRAR.full_name,
        "COMMISSIONER_ROLE_ARN": stack.commissioner_role.role_arn,
        "ARRIVALS_QUEUE_ARN": queues.arrivals.queue_arn,
        **endpoint.for_devices(settings),
        "LEFT_THINGS": settings.left_things,
        **campaigns.environment(settings, queues),
        "CLAIM_LIMITS": settings.claim_limits,
        **signing_keys.environment(settings),
    }
