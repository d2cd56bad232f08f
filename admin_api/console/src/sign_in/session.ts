/**
 * Who is signed in: authorization code with PKCE at the user pool's own page (RFC 7636, RFC 9700). Tokens live in this
 * object and nowhere else: not in storage, not in an address. A reload asks the user pool again, whose own session
 * cookie makes that silent. What survives the way there and back is only what PKCE needs, in sessionStorage.
 */
import * as oauth from "oauth4webapi";

/** `/sign-in.json`: where the user pool is. */
export interface SignInDocument {
  issuer: string;
  authorize_url: string;
  token_url: string;
  logout_url: string;
  revoke_url: string | null;
  client_id: string;
  scope: string;
}

/** What is kept while the person is at the sign-in page. */
interface Departure {
  verifier: string;
  state: string;
  nonce: string;
  returnTo: string;
}

/** The sign-in page sent the person back without a code, or the code was not good. */
export class SignInFailed extends Error {}

const KEPT = "device-lobby.sign-in";
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

  /** A session from the code in `here`, or null where there is none: then `leave` for the sign-in page. */
  static async arrive(document: SignInDocument, here: Location): Promise<Session | null> {
    const parameters = new URLSearchParams(here.search);
    if (!parameters.has("state") || !(parameters.has("code") || parameters.has("error"))) return null;
    const departure = takeDeparture();
    history.replaceState(null, "", departure?.returnTo ?? "/");
    if (!departure) return null; // an old address, reloaded: ask again
    const session = new Session(document);
    await session.#exchange(new URL(`?${parameters}`, here.origin), departure);
    return session;
  }

  async #exchange(answer: URL, departure: Departure): Promise<void> {
    try {
      const parameters = oauth.validateAuthResponse(this.#server, this.#client, answer, departure.state);
      const response = await oauth.authorizationCodeGrantRequest(
        this.#server,
        this.#client,
        oauth.None(),
        parameters,
        redirectUri(),
        departure.verifier,
        this.#options(),
      );
      const tokens = await oauth.processAuthorizationCodeResponse(this.#server, this.#client, response, {
        expectedNonce: departure.nonce,
      });
      this.#take(tokens);
    } catch (error) {
      throw new SignInFailed(wordsOf(error));
    }
  }

  /** The bearer token; renew it first where `isStale`. */
  get accessToken(): string {
    return this.#accessToken;
  }

  get isStale(): boolean {
    return Date.now() >= this.#expiresAt;
  }

  /** A fresh access token. Throws `SignInFailed` where the person has to sign in again; an outage goes through. */
  async refresh(): Promise<void> {
    this.#refreshing ??= this.#renew().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  async #renew(): Promise<void> {
    if (!this.#refreshToken) throw new SignInFailed("the session has ended");
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
      // The user pool has said no. What is no answer of its own (a gateway's 503) says nothing about the session.
      if (error instanceof oauth.ResponseBodyError) throw new SignInFailed(wordsOf(error));
      throw error;
    }
  }

  #take(tokens: oauth.TokenEndpointResponse): void {
    this.#accessToken = tokens.access_token;
    this.#refreshToken = tokens.refresh_token ?? this.#refreshToken;
    this.#expiresAt = Date.now() + ((tokens.expires_in ?? 300) - EARLY_SECONDS) * 1000;
  }

  /** Ends it here and at the user pool, and goes to its page. */
  async end(): Promise<void> {
    const token = this.#refreshToken;
    this.#accessToken = "";
    this.#refreshToken = undefined;
    if (token && this.#document.revoke_url) {
      // Signing out must not hang on this: the token dies with the page, and at the pool by its age.
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

/** Goes to the sign-in page, to come back to `returnTo`. The way back in the browser leads past it, not to it. */
export async function leave(document: SignInDocument, returnTo: string): Promise<void> {
  const departure: Departure = {
    verifier: oauth.generateRandomCodeVerifier(),
    state: oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    returnTo,
  };
  sessionStorage.setItem(KEPT, JSON.stringify(departure));
  const address = new URL(document.authorize_url);
  address.search = new URLSearchParams({
    response_type: "code",
    client_id: document.client_id,
    redirect_uri: redirectUri(),
    scope: document.scope,
    state: departure.state,
    nonce: departure.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(departure.verifier),
    code_challenge_method: "S256",
  }).toString();
  location.replace(address);
}

/** Where the user pool sends people back to: registered there, so always the same. */
export function redirectUri(): string {
  return `${location.origin}/`;
}

function takeDeparture(): Departure | null {
  const kept = sessionStorage.getItem(KEPT);
  sessionStorage.removeItem(KEPT);
  return kept ? (JSON.parse(kept) as Departure) : null;
}

/** Plain http is for this machine's own emulator only. */
export function isLoopback(address: string): boolean {
  const { hostname } = new URL(address);
  return hostname === "localhost" || /^127(\.\d{1,3}){3}$/.test(hostname) || hostname === "[::1]";
}

function wordsOf(error: unknown): string {
  if (error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError) {
    return error.error_description ?? error.error;
  }
  return error instanceof Error ? error.message : String(error);
}
