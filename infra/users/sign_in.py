"""The users of the lobby's API: a Cognito user pool whose users an administrator creates, with a group per role.

The app client is public, without a secret: the console and the command line use the authorization code flow with PKCE.
Sign-in with a password through the Cognito API is enabled only in the local deployment, for scripts without a browser.
"""

from dataclasses import dataclass
from typing import Final

from aws_cdk import CfnOutput, Duration, RemovalPolicy
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from infra.settings import Settings
from infra.users.user_roles import ROLES
from lobby.deployment import NAMES
from lobby.names import Target

COMMAND_LINE: Final = "http://localhost:8976/"
"""The callback URL of the command line. Cognito accepts http only for localhost (developer guide, "App client
settings": callback URLs)."""


@dataclass(frozen=True)
class SignIn:
    """`login_url` is the origin of the sign-in page; None for the emulator, which serves it itself."""

    pool: cognito.IUserPool
    client: cognito.UserPoolClient
    login_url: str | None = None


def make_sign_in(scope: Construct, settings: Settings, console_url: str) -> SignIn:
    if settings.user_pool_id is None:
        pool: cognito.IUserPool = _pool(scope, settings)
        _groups(scope, pool)
    else:
        pool = cognito.UserPool.from_user_pool_id(scope, "UserPool", settings.user_pool_id)
    client = _client(pool, settings, console_url)
    if settings.local:
        return SignIn(pool, client)
    if settings.login_url is None:
        _login_page(scope, pool, settings)
    # Managed login needs a branding style to render a page.
    cognito.CfnManagedLoginBranding(
        scope,
        "LoginStyle",
        user_pool_id=pool.user_pool_id,
        client_id=client.user_pool_client_id,
        use_cognito_provided_values=True,
    )
    return SignIn(pool, client, settings.login_url or login_url(settings.lobby))


def login_url(lobby: Target) -> str:
    """Return the sign-in origin, derived from the prefix, so that functions do not depend on the domain resource. The
    prefix contains the account because it must be unique in the Region."""
    return f"https://{_prefix(lobby)}.auth.{lobby.region}.amazoncognito.com"


def _prefix(lobby: Target) -> str:
    return NAMES.name(lobby.account)


def _groups(scope: Construct, pool: cognito.IUserPool) -> None:
    for precedence, (name, description) in enumerate(ROLES.items()):
        group = cognito.CfnUserPoolGroup(
            scope,
            f"{name.capitalize()}Group",
            user_pool_id=pool.user_pool_id,
            group_name=name,
            description=description,
            precedence=precedence,
        )
        group.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)


def _pool(scope: Construct, settings: Settings) -> cognito.UserPool:
    return cognito.UserPool(
        scope,
        "UserPool",
        user_pool_name=NAMES.prefix,
        self_sign_up_enabled=False,
        sign_in_aliases=cognito.SignInAliases(username=True, email=True),
        sign_in_case_sensitive=False,
        auto_verify=cognito.AutoVerifiedAttrs(email=True),
        account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
        mfa=cognito.Mfa.OPTIONAL,
        mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
        password_policy=cognito.PasswordPolicy(
            min_length=14,
            require_lowercase=True,
            require_uppercase=True,
            require_digits=True,
            require_symbols=True,
            temp_password_validity=Duration.days(3),
        ),
        deletion_protection=settings.protect,
        removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    )


def _client(pool: cognito.IUserPool, settings: Settings, console_url: str) -> cognito.UserPoolClient:
    return pool.add_client(
        "Client",
        user_pool_client_name="console",
        generate_secret=False,
        auth_flows=cognito.AuthFlow(user_srp=True, user_password=settings.local),
        o_auth=cognito.OAuthSettings(
            flows=cognito.OAuthFlows(authorization_code_grant=True),
            scopes=[cognito.OAuthScope.OPENID, cognito.OAuthScope.PROFILE],
            callback_urls=[console_url, COMMAND_LINE],
            logout_urls=[console_url, COMMAND_LINE],
        ),
        supported_identity_providers=[cognito.UserPoolClientIdentityProvider.COGNITO],
        access_token_validity=Duration.minutes(60 if settings.local else 15),
        id_token_validity=Duration.minutes(15),
        refresh_token_validity=Duration.hours(12),
        auth_session_validity=Duration.minutes(5),
        enable_token_revocation=True,
        prevent_user_existence_errors=True,
    )


def _login_page(scope: Construct, pool: cognito.IUserPool, settings: Settings) -> None:
    """Create the domain of Cognito's managed login."""
    domain = pool.add_domain(
        "Domain",
        cognito_domain=cognito.CognitoDomainOptions(domain_prefix=_prefix(settings.lobby)),
        managed_login_version=cognito.ManagedLoginVersion.NEWER_MANAGED_LOGIN,
    )
    CfnOutput(scope, "LoginUrl", value=domain.base_url(), description="Cognito's sign-in page")
