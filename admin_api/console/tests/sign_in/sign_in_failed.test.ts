/** Failures of a sign-in are explained in words, without terms of OAuth and JWT; a wrong clock is named. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ServerClock } from "../../src/clock/server_clock";
import { Session, SignInFailed } from "../../src/sign_in/session";
import { back, depart } from "./departure";
import { answering, DOCUMENT, idToken, json, NO_NETWORK, tokens } from "./user_pool";

const MINUTE = 60_000;

beforeEach(() => {
  sessionStorage.clear();
  vi.spyOn(console, "warn").mockImplementation(() => {});
});
afterEach(() => void vi.useRealTimers());

/** A clock of which a response has shown that this device is ahead of the lobby by `aheadMs`. */
function ahead(aheadMs: number): ServerClock {
  const clock = new ServerClock();
  const date = new Date(Date.now() - aheadMs).toUTCString();
  clock.observe(new Headers({ date }), Date.now(), Date.now());
  return clock;
}

async function arrive(answer: (nonce: string) => Response | (() => Response), clock = new ServerClock()) {
  const left = await depart();
  answering(answer(left.searchParams.get("nonce") ?? ""));
  return Session.arrive(DOCUMENT, back({ code: "C", state: left.searchParams.get("state") ?? "" }), clock);
}

/** As the user pool makes it when this device's clock is `aheadMs` ahead: valid for five minutes. */
function tokenMade(nonce: string, aheadMs: number): Response {
  const iat = Math.floor((Date.now() - aheadMs) / 1000);
  return tokens({ id_token: idToken({ nonce, iat, exp: iat + 300 }) });
}

test.each([16, -16, 3 * 60])(
  "a clock that is %i minutes ahead does not lock the user out",
  async (minutes) => {
    const aheadMs = minutes * MINUTE;
    const session = await arrive((nonce) => tokenMade(nonce, aheadMs), ahead(aheadMs));
    expect(session?.accessToken).toBe("ACCESS-1");
  },
);

test("an unmeasured clock is named as the probable cause", async () => {
  await expect(arrive((nonce) => tokenMade(nonce, 16 * MINUTE))).rejects.toThrow(
    new SignInFailed(
      "This device's clock is probably wrong. Set date and time to automatic, then sign in again.",
    ),
  );
});

test.each<[string, Response | (() => Response), RegExp]>([
  ["invalid_grant", json({ error: "invalid_grant" }, 400), /has expired, or it was used before/],
  ["a sentence", json({ error: "x", error_description: "User is disabled." }, 400), /^User is disabled\.$/],
  [
    "an unknown code",
    json({ error: "weird_thing", error_description: "weird_thing" }, 400),
    /can't be verified/,
  ],
  ["an outage", json({ message: "down" }, 503), /did not respond/],
  ["no network", NO_NETWORK, /did not respond/],
  ["no ID token", tokens(), /can't be verified/],
])("%s is explained", async (_, answer, text) => {
  const error = await arrive(() => answer).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(SignInFailed);
  expect((error as Error).message).toMatch(text);
  expect((error as Error).message).not.toMatch(/JWT|_|fetch|"|OAuth/);
});
