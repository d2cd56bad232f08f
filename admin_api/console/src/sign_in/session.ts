/**
 * The session: authorization code with PKCE at the user pool's own page. Tokens are stored only in this object,
 * never in storage or an address. After a reload the user pool issues new tokens; its session cookie makes
 * this invisible. When the session ends, the user can sign in in another window, and this object continues
 * with new tokens.
 */
import * as oauth from "oauth4webapi";
import { type ServerClock, serverClock } from "../clock/server_clock";
import { otherWindow, redirectUri, type SignInRequest, takeRequest } from "./request";
import { OtherUser, SignInFailed, signInFailure } from "./sign_in_failed";

export { leave } from "./request";
export { SignInFailed } from "./sign_in_failed";

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

const EARLY_SECONDS = 30;

export class Session {
  readonly #server: oauth.AuthorizationServer;
  readonly #document: SignInDocument;
  readonly #clock: ServerClock;
  #accessToken = "";
  #refreshToken: string | undefined;
  #expiresAt = 0;
  #refreshing: Promise<void> | undefined;
  /** The user's id at the user pool. */
  #user: string | undefined;
  /** Why the user has to sign in again. */
  #ended: SignInFailed | undefined;

  private constructor(document: SignInDocument, clock: ServerClock) {
    this.#document = document;
    this.#clock = clock;
    this.#server = {
      issuer: document.issuer,
      authorization_endpoint: document.authorize_url,
      token_endpoint: document.token_url,
      ...(document.revoke_url ? { revocation_endpoint: document.revoke_url } : {}),
    };
  }

  /** Return a session from the code in `here`, or null if there is none: then call `leave`. */
  static async arrive(
    document: SignInDocument,
    here: Location,
    clock: ServerClock = serverClock,
  ): Promise<Session | null> {
    const parameters = new URLSearchParams(here.search);
    if (!parameters.has("state") || !(parameters.has("code") || parameters.has("error"))) return null;
    const request = takeRequest();
    history.replaceState(null, "", request?.returnTo ?? "/");
    if (!request) return null; // an old address, reloaded: sign in again
    const session = new Session(document, clock);
    await session.#exchange(parameters, request);
    return session;
  }

  /** A request that another window can sign in with, and its address. Call `resume` with the answer. */
  requestInOtherWindow(): Promise<[SignInRequest, URL]> {
    return otherWindow(this.#document);
  }

  /**
   * Continue with the sign-in of another window. Throws `SignInFailed`, or `OtherUser` if it was another
   * user.
   */
  async resume(answer: URLSearchParams, request: SignInRequest): Promise<void> {
    const user = this.#user;
    await this.#exchange(answer, request);
    if (user !== this.#user) throw new OtherUser("got another user, want the one of this page");
  }

  async #exchange(answer: URLSearchParams, request: SignInRequest): Promise<void> {
    try {
      const client = this.#client();
      const parameters = oauth.validateAuthResponse(this.#server, client, answer, request.state);
      const response = await oauth.authorizationCodeGrantRequest(
        this.#server,
        client,
        oauth.None(),
        parameters,
        redirectUri(),
        request.verifier,
        this.#options(),
      );
      const tokens = await oauth.processAuthorizationCodeResponse(this.#server, client, response, {
        expectedNonce: request.nonce,
      });
      this.#take(tokens);
      this.#user = oauth.getValidatedIdTokenClaims(tokens)?.sub;
    } catch (error) {
      console.warn(error);
      throw signInFailure(error, this.#clock.skewMs);
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
    if (this.#ended) throw this.#ended;
    if (!this.#refreshToken) throw this.#end(new SignInFailed("The session has ended."));
    const client = this.#client();
    const response = await oauth.refreshTokenGrantRequest(
      this.#server,
      client,
      oauth.None(),
      this.#refreshToken,
      this.#options(),
    );
    try {
      this.#take(await oauth.processRefreshTokenResponse(this.#server, client, response));
    } catch (error) {
      // The user pool rejected the token. Any other response (a gateway's 503) does not invalidate the session.
      if (error instanceof oauth.ResponseBodyError) throw this.#end(signInFailure(error, this.#clock.skewMs));
      throw error;
    }
  }

  #end(failure: SignInFailed): SignInFailed {
    this.#ended = failure;
    return failure;
  }

  #take(tokens: oauth.TokenEndpointResponse): void {
    this.#accessToken = tokens.access_token;
    this.#refreshToken = tokens.refresh_token ?? this.#refreshToken;
    this.#expiresAt = Date.now() + ((tokens.expires_in ?? 300) - EARLY_SECONDS) * 1000;
    this.#ended = undefined;
  }

  /** End the session here and at the user pool, and go to its page. */
  async end(): Promise<void> {
    const token = this.#refreshToken;
    this.#accessToken = "";
    this.#refreshToken = undefined;
    if (token && this.#document.revoke_url) {
      // Sign-out must not wait for this: the token is gone with the page and expires at the pool.
      await oauth
        .revocationRequest(this.#server, this.#client(), oauth.None(), token, this.#options())
        .catch(() => undefined);
    }
    const address = new URL(this.#document.logout_url);
    address.search = new URLSearchParams({
      client_id: this.#document.client_id,
      logout_uri: redirectUri(),
    }).toString();
    location.assign(address);
  }

  /** The client, with the lobby's clock: the times in an ID token are checked with it. */
  #client(): oauth.Client {
    return {
      client_id: this.#document.client_id,
      [oauth.clockSkew]: Math.round(this.#clock.skewMs / 1000),
    };
  }

  #options(): { [oauth.allowInsecureRequests]: boolean } {
    return { [oauth.allowInsecureRequests]: isLoopback(this.#document.token_url) };
  }
}

/** Plain http is allowed only for the local emulator. */
export function isLoopback(address: string): boolean {
  const { hostname } = new URL(address);
  return hostname === "localhost" || /^127(\.\d{1,3}){3}$/.test(hostname) || hostname === "[::1]";
}
