/** The client and the session: every request carries the token, a stale or refused one is renewed, a dead one ends. */
import { expect, test, vi } from "vitest";
import { createClient } from "../../src/api/client";
import { graphql } from "../../src/api/graphql";
import { type Session, SignInFailed } from "../../src/sign_in/session";

const ME = graphql(`query Me { me { name } }`);
const GOOD = () => Response.json({ data: { me: { name: "ada" } } });
const REFUSED = () => Response.json({ message: "Unauthorized" }, { status: 401 });

/** A session whose token is `token-1`, and after each refresh one higher. */
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

/** A server that says yes to the tokens in `good`; the tokens it was shown. */
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
  const again = vi.fn();
  const answer = await createClient(of as unknown as Session, again)
    .query(ME, {})
    .toPromise();
  return { answer, again };
}

test("each request carries the bearer token", async () => {
  const shown = server("token-1");
  const { answer } = await ask(session());
  expect(answer.data?.me.name).toBe("ada");
  expect(shown).toEqual(["Bearer token-1"]);
});

test("a stale token is renewed before anything is asked", async () => {
  const shown = server("token-2");
  await ask(session({ stale: true }));
  expect(shown).toEqual(["Bearer token-2"]);
});

test("a token that is refused is renewed, and the request sent once more", async () => {
  const shown = server("token-2");
  const { answer, again } = await ask(session());
  expect(answer.data?.me.name).toBe("ada");
  expect(shown).toEqual(["Bearer token-1", "Bearer token-2"]);
  expect(again).not.toHaveBeenCalled();
});

test("a token that is refused again and again is told as a failure, not asked for ever", async () => {
  const shown = server();
  const { answer } = await ask(session());
  expect(answer.error?.response.status).toBe(401);
  expect(shown).toHaveLength(2);
});

test("a session that cannot be renewed leads to the sign-in page", async () => {
  server();
  const { again } = await ask(session({ stale: true, refused: new SignInFailed("revoked") }));
  expect(again).toHaveBeenCalled();
});

test("a renewal that was lost on the way does not: the request itself tells what is wrong", async () => {
  server();
  const { answer, again } = await ask(session({ stale: true, refused: new TypeError("fetch failed") }));
  expect(again).not.toHaveBeenCalled();
  expect(answer.error).toBeDefined();
});

test("without a session no token is sent, and nobody is sent away", async () => {
  const shown = server();
  const { again } = await ask(null);
  expect(new Set(shown)).toEqual(new Set([null]));
  expect(again).not.toHaveBeenCalled();
});
