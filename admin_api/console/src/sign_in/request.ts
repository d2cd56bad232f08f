/**
 * A request to the user pool's sign-in page: authorization code with PKCE, state and nonce (RFC 7636, RFC 9700).
 * Either the browser leaves the page and the request is in sessionStorage, or the sign-in page opens in
 * another window, which sends its answer on a channel, and the request is in memory.
 */
import * as oauth from "oauth4webapi";
import type { SignInDocument } from "./session";

/** The values that are needed to use the answer. */
export interface SignInRequest {
  verifier: string;
  state: string;
  nonce: string;
  returnTo: string;
}

const STORAGE_KEY = "device-lobby.sign-in";
const CHANNEL = "device-lobby.sign-in";
/** The state of a request whose answer another window receives. */
const OTHER_WINDOW = "window.";

/** Go to the sign-in page and return to `returnTo` afterwards. The browser's back button skips it. */
export async function leave(document: SignInDocument, returnTo: string): Promise<void> {
  const request = newRequest(returnTo);
  sessionStorage.setItem(STORAGE_KEY, JSON.stringify(request));
  location.replace(await addressOf(document, request));
}

/** The stored request, which is removed when it is read. */
export function takeRequest(): SignInRequest | null {
  const stored = sessionStorage.getItem(STORAGE_KEY);
  sessionStorage.removeItem(STORAGE_KEY);
  return stored ? (JSON.parse(stored) as SignInRequest) : null;
}

/** A request for another window, and the address to open there. */
export async function otherWindow(document: SignInDocument): Promise<[SignInRequest, URL]> {
  const request = newRequest("/", OTHER_WINDOW);
  return [request, await addressOf(document, request)];
}

/** Receive the answer of another window to `request`. Return a function that stops. */
export function onAnswer(request: SignInRequest, use: (answer: URLSearchParams) => void): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }: { data: unknown }) => {
    const answer = new URLSearchParams(String(data));
    if (answer.get("state") === request.state) use(answer);
  };
  return () => channel.close();
}

/**
 * In the other window: pass on the answer in `search`. Its code cannot be used without the verifier, which
 * only the first page has. Return whether this is such a window.
 */
export function passOn(search: string): boolean {
  if (!new URLSearchParams(search).get("state")?.startsWith(OTHER_WINDOW)) return false;
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(search);
  channel.close();
  return true;
}

/** The address that the user pool returns to. It is registered there and never changes. */
export function redirectUri(): string {
  return `${location.origin}/`;
}

function newRequest(returnTo: string, prefix = ""): SignInRequest {
  return {
    verifier: oauth.generateRandomCodeVerifier(),
    state: prefix + oauth.generateRandomState(),
    nonce: oauth.generateRandomNonce(),
    returnTo,
  };
}

async function addressOf(document: SignInDocument, request: SignInRequest): Promise<URL> {
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
  return address;
}
