/**
 * The session: authorization code with PKCE at the user pool's own page (RFC 7636, RFC 9700). Tokens are stored
 * only in this object, never in storage or an address. After a reload the user pool is asked again; its own
 * session cookie makes that silent. Only the PKCE parameters are stored, in sessionStorage, while the user is
 * at the sign-in page.
 */
import * as oauth from "oauth4webapi";

/** The content of `/sign-in.json`: the user pool's addresses. */
export interface SignInDocument {
  issuer: string;
  authorize_url: string;
  token_url: string;
  logout_url: string;
  revoke_url: string | null;
  client_id: string;
  scope: string;
}

/** What is stored while the user is at the sign-in page. */
interface SignInRequest {
  verifier: string;
  state: string;
  nonce: string;
  returnTo: string;
}

/** The sign-in page returned no code, or the code was rejected. */
export class SignInFailed extends Error {}

const STORAGE_KEY = "device-lobby.sign-in";
const EARLY_SECONDS = 30;

export class Session {
  readonly #server: oauth.AuthorizationServer;
  readonly #client: oauth.Client;
  readonly #document: SignInDocument;
  #accessToken = "";
  #refreshToken: string | undefined;
  #expiresAt = 0;
  #refreshing: Promise<void> | undefined;

  private constructor(document: SignInDocument) {
    this.#document = document;
    this.#server = {
      issuer: document.issuer,
      authorization_endpoint: document.authorize_url,
      token_endpoint: document.token_url,
      ...(document.revoke_url ? { revocation_endpoint: document.revoke_url } : {}),
    };
    this.#client = { client_id: document.client_id };
  }

  /** Return a session from the code in `here`, or null if there is none: then call `leave`. */
  static async arrive(document: SignInDocument, here: Location): Promise<Session | null> {
    const parameters = new URLSearchParams(here.search);
    if (!parameters.has("state") || !(parameters.has("code") || parameters.has("error"))) return null;
    const request = takeSignInRequest();
    history.replaceState(null, "", request?.returnTo ?? "/");
    if (!request) return null; // an old address, reloaded: sign in again
    const session = new Session(document);
    await session.#exchange(new URL(`?${parameters}`, here.origin), request);
    return session;
  }

  async #exchange(answer: URL, request: SignInRequest): Promise<void> {
    try {
      const parameters = oauth.validateAuthResponse(this.#server, this.#client, answer, request.state);
      const response = await oauth.authorizationCodeGrantRequest(
        this.#server,
        this.#client,
        oauth.None(),
        parameters,
        redirectUri(),
        request.verifier,
        this.#options(),
      );
      const tokens = await oauth.processAuthorizationCodeResponse(this.#server, this.#client, response, {
        expectedNonce: request.nonce,
      });
      this.#take(tokens);
    } catch (error) {
      throw new SignInFailed(errorText(error));
    }
  }

  /** The bearer token; call `refresh` first if `isStale`. */
  get accessToken(): string {
    return this.#accessToken;
  }

  get isStale(): boolean {
    return Date.now() >= this.#expiresAt;
  }

  /**
   * Renew the access token. Throws `SignInFailed` if the user must sign in again; network errors propagate.
   */
  async refresh(): Promise<void> {
    this.#refreshing ??= this.#renew().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  async #renew(): Promise<void> {
    if (!this.#refreshToken) throw new SignInFailed("The session has ended.");
    const response = await oauth.refreshTokenGrantRequest(
      this.#server,
      this.#client,
      oauth.None(),
      this.#refreshToken,
      this.#options(),
    );
    try {
      this.#take(await oauth.processRefreshTokenResponse(this.#server, this.#client, response));
    } catch (error) {
      // The user pool rejected the token. Any other response (a gateway's 503) does not invalidate the session.
      if (error instanceof oauth.ResponseBodyError) throw new SignInFailed(errorText(error));
      throw error;
    }
  }

  #take(tokens: oauth.TokenEndpointResponse): void {
    this.#accessToken = tokens.access_token;
    this.#refreshToken = tokens.refresh_token ?? this.#refreshToken;
    this.#expiresAt = Date.now() + ((tokens.expires_in ?? 300) - EARLY_SECONDS) * 1000;
  }

  /** End the session here and at the user pool, and go to its page. */
  async end(): Promise<void> {
    const token = this.#refreshToken;
    this.#accessToken = "";
    this.#refreshToken = undefined;
    if (token && this.#document.revoke_url) {
      // Sign-out must not wait for this: the token is gone with the page and expires at the pool.
      await oauth
        .revocationRequest(this.#server, this.#client, oauth.None(), token, this.#options())
        .catch(() => undefined);
    }
    const address = new URL(this.#document.logout_url);
    address.search = new URLSearchParams({
      client_id: this.#document.client_id,
      logout_uri: redirectUri(),
    }).toString();
    location.assign(address);
  }

  #options(): { [oauth.allowInsecureRequests]: boolean } {
    return { [oauth.allowInsecureRequests]: isLoopback(this.#document.token_url) };
  }
}

/** Go to the sign-in page and return to `returnTo` afterwards. The browser's back button skips it. */
export async function leave(document: SignInDocument, returnTo: string): Promise<void> {
  const request: SignInRequest = {
    verifier: oauth.generateRandomCodeVerifier(),
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    returnTo,
  };
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(request));
  const address = new URL(document.authorize_url);
  address.search = new URLSearchParams({
    response_type: "code",
    client_id: document.client_id,
    redirect_uri: redirectUri(),
    scope: document.scope,
    state: request.state,
    nonce: request.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(request.verifier),
    code_challenge_method: "S256",
  }).toString();
  location.replace(address);
}

/** The address that the user pool returns to. It is registered there and never changes. */
export function redirectUri(): string {
  return `${location.origin}/`;
}

function takeSignInRequest(): SignInRequest | null {
  const stored = sessionStorage.getItem(STORAGE_KEY);
  sessionStorage.removeItem(STORAGE_KEY);
  return stored ? (JSON.parse(stored) as SignInRequest) : null;
}

/** Plain http is allowed only for the local emulator. */
export function isLoopback(address: string): boolean {
  const { hostname } = new URL(address);
  return hostname === "localhost" || /^127(\.\d{1,3}){3}$/.test(hostname) || hostname === "[::1]";
}

function errorText(error: unknown): string {
  if (error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError) {
    return error.error_description ?? error.error;
  }
  return error instanceof Error ? error.message : String(error);
}
