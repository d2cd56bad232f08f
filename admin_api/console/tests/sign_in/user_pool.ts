/** A fake user pool: its sign-in document, tokens, and a `fetch` that acts as its token endpoint. */
import { vi } from "vitest";
import type { SignInDocument } from "../../src/sign_in/session";

export const ISSUER = "https://idp.test/pool";
export const CLIENT = "console-client";
export const DOCUMENT: SignInDocument = {
  issuer: ISSUER,
  authorize_url: "https://pool.test/oauth2/authorize",
  token_url: "https://pool.test/oauth2/token",
  logout_url: "https://pool.test/logout",
  revoke_url: "https://pool.test/oauth2/revoke",
  client_id: CLIENT,
  scope: "openid profile",
};

/**
 * The ID token of the code flow comes from the token endpoint over TLS, so its claims are checked, not its
 * signature.
 */
export function idToken(claims: Record<string, unknown>): string {
  const now = Math.floor(Date.now() / 1000);
  const body = { iss: ISSUER, aud: CLIENT, sub: "ada", iat: now, exp: now + 300, ...claims };
  return [{ alg: "RS256" }, body, "signature"]
    .map((part) => btoa(typeof part === "string" ? part : JSON.stringify(part)).replace(/=+$/, ""))
    .join(".");
}

export function tokens(more: Record<string, unknown> = {}): Response {
  return json({
    access_token: "ACCESS-1",
    refresh_token: "REFRESH-1",
    token_type: "Bearer",
    expires_in: 300,
    ...more,
  });
}

export function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });
}

export interface RecordedRequest {
  url: string;
  form: Record<string, string>;
}

/** Returns the responses in order; the requests are in the returned list. */
export function answering(...answers: (Response | (() => Response))[]): RecordedRequest[] {
  const requests: RecordedRequest[] = [];
  vi.stubGlobal("fetch", async (url: URL | string, init: RequestInit) => {
    requests.push({ url: String(url), form: Object.fromEntries(new URLSearchParams(String(init.body))) });
    const next = answers[requests.length - 1];
    if (!next) throw new Error(`got request ${requests.length}, want ${answers.length} at most`);
    return typeof next === "function" ? next() : next;
  });
  return requests;
}

export const NO_NETWORK = (): Response => {
  throw new TypeError("fetch failed");
};
