/**
 * The GraphQL client sends the session's token, renews a stale or rejected one, and ends an invalid session.
 */
import { expect, test, vi } from "vitest";
import { createClient } from "../../src/api/client";
import { graphql } from "../../src/api/graphql";
import { type Session, SignInFailed } from "../../src/sign_in/session";

const ME = graphql(`query Me { me { name } }`);
const GOOD = () => Response.json({ data: { me: { name: "ada" } } });
const REFUSED = () => Response.json({ message: "Unauthorized" }, { status: 401 });

/** A session with the token `token-1`; each refresh increments the number. */
function session({ stale = false, refused }: { stale?: boolean; refused?: Error } = {}) {
  const of = {
    accessToken: "token-1",
    isStale: stale,
    refresh: vi.fn(async () => {
      if (refused) throw refused;
      of.accessToken = `token-${of.refresh.mock.calls.length + 1}`;
      of.isStale = false;
    }),
  };
  return of;
}

/** A server that accepts the tokens in `good`; returns the tokens it received. */
function server(...good: string[]): (string | null)[] {
  const shown: (string | null)[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    expect(url).toBe("/graphql");
    shown.push(new Headers(init.headers).get("authorization"));
    return good.includes(shown.at(-1)?.replace("Bearer ", "") ?? "") ? GOOD() : REFUSED();
  });
  return shown;
}

async function ask(of: ReturnType<typeof session> | null) {
  const again = vi.fn(async () => undefined);
  const answer = await createClient(of as unknown as Session, again)
    .query(ME, {})
    .toPromise();
  return { answer, again };
}

test("sends the bearer token with each request", async () => {
  const shown = server("token-1");
  const { answer } = await ask(session());
  expect(answer.data?.me.name).toBe("ada");
  expect(shown).toEqual(["Bearer token-1"]);
});

test("renews a stale token before the request", async () => {
  const shown = server("token-2");
  await ask(session({ stale: true }));
  expect(shown).toEqual(["Bearer token-2"]);
});

test("renews a rejected token and repeats the request", async () => {
  const shown = server("token-2");
  const { answer, again } = await ask(session());
  expect(answer.data?.me.name).toBe("ada");
  expect(shown).toEqual(["Bearer token-1", "Bearer token-2"]);
  expect(again).not.toHaveBeenCalled();
});

test("reports a token that is rejected twice, and stops", async () => {
  const shown = server();
  const { answer } = await ask(session());
  expect(answer.error?.response.status).toBe(401);
  expect(shown).toHaveLength(2);
});

test("asks to sign in if the session cannot be renewed", async () => {
  server();
  const { again } = await ask(session({ stale: true, refused: new SignInFailed("revoked") }));
  expect(again).toHaveBeenCalled();
});

test("sends a request that waited for the sign-in with the new token", async () => {
  const shown = server("token-9");
  const of = session({ stale: true, refused: new SignInFailed("revoked") });
  const answer = await createClient(of as unknown as Session, async () => {
    of.accessToken = "token-9";
    of.isStale = false;
  })
    .query(ME, {})
    .toPromise();
  expect(answer.data?.me.name).toBe("ada");
  expect(shown).toEqual(["Bearer token-9"]);
});

test("reports a lost renewal on the request and keeps the session", async () => {
  server();
  const { answer, again } = await ask(session({ stale: true, refused: new TypeError("fetch failed") }));
  expect(again).not.toHaveBeenCalled();
  expect(answer.error).toBeDefined();
});

test("sends no token without a session, and does not sign in", async () => {
  const shown = server();
  const { again } = await ask(null);
  expect(new Set(shown)).toEqual(new Set([null]));
  expect(again).not.toHaveBeenCalled();
});
