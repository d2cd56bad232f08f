/** The way to the sign-in page and back: requests, rejections, and single use of codes. */
import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { isLoopback, Session, SignInFailed } from "../../src/sign_in/session";
import { back, depart } from "./departure";
import { answering, DOCUMENT, idToken, json, NO_NETWORK, tokens } from "./user_pool";

const kept = () => JSON.parse(sessionStorage.getItem("device-lobby.sign-in") ?? "null");

beforeEach(() => {
  sessionStorage.clear();
  localStorage.clear();
  window.history.replaceState(null, "", "/");
});

describe("leaving", () => {
  test("requests a code with PKCE, state and nonce for the registered address", async () => {
    const left = await depart("/devices/ab?tab=history");
    const requests = Object.fromEntries(left.searchParams);
    const { verifier, state, nonce, returnTo } = kept();

    expect(left.origin + left.pathname).toBe(DOCUMENT.authorize_url);
    expect(requests).toEqual({
      response_type: "code",
      client_id: "console-client",
      redirect_uri: "https://lobby.test/",
      scope: "openid profile",
      state,
      nonce,
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
    });
    expect(returnTo).toBe("/devices/ab?tab=history");
    expect(left.href).not.toContain(verifier);
  });

  test("uses new secrets each time", async () => {
    await depart();
    const first = kept();
    await depart();
    for (const secret of ["verifier", "state", "nonce"]) expect(kept()[secret]).not.toBe(first[secret]);
  });
});

describe("returning", () => {
  test("gives no session and no request without a code", async () => {
    const requests = answering();
    const incomplete: Record<string, string>[] = [{}, { code: "C" }, { state: "S" }, { tab: "history" }];
    for (const parameters of incomplete) expect(await Session.arrive(DOCUMENT, back(parameters))).toBeNull();
    expect(requests).toEqual([]);
  });

  test("exchanges the code with its verifier, and returns to the previous address", async () => {
    const left = await depart("/devices?state=failed");
    const { verifier, nonce } = kept();
    const requests = answering(tokens({ id_token: idToken({ nonce }) }));
    const session = await Session.arrive(DOCUMENT, back({ code: "C1", state: stateOf(left) }));

    expect(session?.accessToken).toBe("ACCESS-1");
    expect(requests).toEqual([
      {
        url: DOCUMENT.token_url,
        form: {
          grant_type: "authorization_code",
          client_id: "console-client",
          code: "C1",
          code_verifier: verifier,
          redirect_uri: "https://lobby.test/",
        },
      },
    ]);
    expect(document.location.pathname + document.location.search).toBe("/devices?state=failed");
  });

  test("uses a code once: the same address again requires a new sign-in", async () => {
    const left = await depart();
    const here = back({ code: "C", state: stateOf(left) });
    const requests = answering(tokens({ id_token: idToken({ nonce: kept().nonce }) }));
    await Session.arrive(DOCUMENT, here);
    expect(await Session.arrive(DOCUMENT, here)).toBeNull();
    expect(requests).toHaveLength(1);
  });

  test("rejects a response to another request", async () => {
    await depart();
    const requests = answering();
    await expect(Session.arrive(DOCUMENT, back({ code: "C", state: "another" }))).rejects.toThrow(
      SignInFailed,
    );
    expect(requests).toEqual([]);
    expect(kept()).toBeNull();
  });

  test("shows the user pool's error message", async () => {
    const left = await depart();
    const refused = back({
      state: stateOf(left),
      error: "access_denied",
      error_description: "User is disabled.",
    });
    await expect(Session.arrive(DOCUMENT, refused)).rejects.toThrow(new SignInFailed("User is disabled."));
  });

  test.each([
    ["of another sign-in", { nonce: "another" }],
    ["without a nonce", {}],
    ["of another issuer", { iss: "https://evil.test" }],
    ["for another client", { aud: "another" }],
    ["that is too old", { exp: 1 }],
  ])("rejects an ID token %s", async (_, claims) => {
    const left = await depart();
    const right = "nonce" in claims || Object.keys(claims).length === 0 ? {} : { nonce: kept().nonce };
    answering(tokens({ id_token: idToken({ ...right, ...claims }) }));
    await expect(Session.arrive(DOCUMENT, back({ code: "C", state: stateOf(left) }))).rejects.toThrow(
      SignInFailed,
    );
  });

  test.each<[string, () => Response]>([
    ["refuses the code", () => json({ error: "invalid_grant" }, 400)],
    ["fails", () => json({ message: "down" }, 503)],
    ["gives no ID token", () => tokens()],
    ["is unreachable", NO_NETWORK],
  ])("fails if the token endpoint %s", async (_, answer) => {
    const left = await depart();
    answering(answer);
    await expect(Session.arrive(DOCUMENT, back({ code: "C", state: stateOf(left) }))).rejects.toThrow(
      SignInFailed,
    );
  });

  test("rejects another issuer's response if it names its issuer", async () => {
    const left = await depart();
    const requests = answering();
    const mixed = back({ code: "C", state: stateOf(left), iss: "https://evil.test" });
    await expect(Session.arrive(DOCUMENT, mixed)).rejects.toThrow(SignInFailed);
    expect(requests).toEqual([]);
  });

  test("sends no code over plain http except to this machine", async () => {
    const requests = answering();
    const plain = { ...DOCUMENT, token_url: "http://pool.test/oauth2/token" };
    const left = await depart("/", plain);
    await expect(Session.arrive(plain, back({ code: "C", state: stateOf(left) }))).rejects.toThrow(
      SignInFailed,
    );
    expect(requests).toEqual([]);
  });
});

test.each([
  ["http://127.0.0.1:4566/oauth2/token", true],
  ["http://127.65.231.96/x", true],
  ["http://localhost:1/x", true],
  ["http://[::1]:1/x", true],
  ["http://127.evil.test/x", false],
  ["http://localhost.evil.test/x", false],
  ["http://10.0.0.1/x", false],
])("%s is on this machine: %s", (address, want) => {
  expect(isLoopback(address)).toBe(want);
});

function stateOf(left: URL): string {
  return left.searchParams.get("state") ?? "";
}
