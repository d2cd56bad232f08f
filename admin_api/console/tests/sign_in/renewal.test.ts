/** A session: renewal, sign-out, and tokens only in memory. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SignInFailed } from "../../src/sign_in/session";
import { signedIn } from "./departure";
import { DOCUMENT, json, NO_NETWORK, tokens } from "./user_pool";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
  sessionStorage.clear();
  localStorage.clear();
});
afterEach(() => vi.useRealTimers());

const REFRESHED = { access_token: "ACCESS-2", refresh_token: undefined };

test("is stale 30 seconds before the token expires", async () => {
  const { session } = await signedIn();
  vi.advanceTimersByTime(269_000);
  expect(session.isStale).toBe(false);
  vi.advanceTimersByTime(1_000);
  expect(session.isStale).toBe(true);
});

test("is fresh again after a refresh", async () => {
  const { session, requests } = await signedIn(tokens(REFRESHED), tokens({ access_token: "ACCESS-3" }));
  vi.advanceTimersByTime(300_000);
  await session.refresh();
  expect(session.accessToken).toBe("ACCESS-2");
  expect(session.isStale).toBe(false);
  expect(requests[1]?.form).toEqual({
    grant_type: "refresh_token",
    client_id: "console-client",
    refresh_token: "REFRESH-1",
  });
  await session.refresh();
  expect(requests[2]?.form.refresh_token).toBe("REFRESH-1");
});

test("uses a replaced refresh token", async () => {
  const { session, requests } = await signedIn(tokens({ refresh_token: "REFRESH-2" }), tokens());
  await session.refresh();
  await session.refresh();
  expect(requests[2]?.form.refresh_token).toBe("REFRESH-2");
});

test("shares one refresh among simultaneous callers", async () => {
  const { session, requests } = await signedIn(tokens(REFRESHED));
  await Promise.all([session.refresh(), session.refresh(), session.refresh()]);
  expect(requests).toHaveLength(2);
});

test("ends when the user pool rejects a refresh", async () => {
  const { session } = await signedIn(
    json({ error: "invalid_grant", error_description: "Token is revoked" }, 400),
  );
  await expect(session.refresh()).rejects.toThrow(new SignInFailed("Token is revoked"));
  await expect(session.refresh()).rejects.toThrow(SignInFailed);
});

test.each<[string, () => Response]>([
  ["a lost network", NO_NETWORK],
  ["an outage", () => json({ message: "Service Unavailable" }, 503)],
  ["too many at once", () => json({ message: "Too Many Requests" }, 429)],
])("survives %s: the refresh may be repeated", async (_, failure) => {
  const { session } = await signedIn(failure, tokens(REFRESHED));
  const error = await session.refresh().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(Error);
  expect(error).not.toBeInstanceOf(SignInFailed);
  await session.refresh();
  expect(session.accessToken).toBe("ACCESS-2");
});

test("keeps tokens out of storage, cookies and addresses", async () => {
  const { session } = await signedIn(tokens({ access_token: "ACCESS-2", refresh_token: "REFRESH-2" }));
  await session.refresh();
  const places = [
    JSON.stringify({ ...localStorage }),
    JSON.stringify({ ...sessionStorage }),
    document.cookie,
    document.location.href,
    JSON.stringify(window.history.state),
  ].join(" ");
  expect(places).not.toMatch(/ACCESS|REFRESH|eyJ/);
  expect(sessionStorage).toHaveLength(0);
});

test("revokes the refresh token on sign-out and ends the user pool's session", async () => {
  const { session, requests } = await signedIn(new Response(null, { status: 200 }));
  await session.end();
  expect(requests[1]).toMatchObject({
    url: DOCUMENT.revoke_url,
    form: { token: "REFRESH-1", client_id: "console-client" },
  });
  expect(session.accessToken).toBe("");
  expect(sentTo()).toBe(
    "https://pool.test/logout?client_id=console-client&logout_uri=https%3A%2F%2Flobby.test%2F",
  );
  await expect(session.refresh()).rejects.toThrow(SignInFailed);
});

test("signs out even if the revocation fails", async () => {
  const { session } = await signedIn(NO_NETWORK);
  await session.end();
  expect(session.accessToken).toBe("");
  expect(sentTo()).toContain("https://pool.test/logout?");
});

/** The last address that the browser was sent to. */
function sentTo(): string {
  return String(vi.mocked(location.assign).mock.calls.at(-1)?.[0]);
}
