/** Leaving for the sign-in page and coming back from it, as the browser does it. */
import { vi } from "vitest";
import { leave, Session } from "../../src/sign_in/session";
import { type Asked, answering, DOCUMENT, idToken, tokens } from "./user_pool";

/** Leaves, and gives the address that the browser was sent to. `document` and `returnTo` as `leave` takes them. */
export async function depart(returnTo = "/waiting?x=1", document = DOCUMENT): Promise<URL> {
  const replace = vi.fn();
  // jsdom has an ArrayBuffer of its own, which Node's digests are no instances of.
  vi.stubGlobal("ArrayBuffer", new TextEncoder().encode().buffer.constructor);
  vi.stubGlobal("location", { origin: "https://lobby.test", replace, assign: vi.fn() });
  await leave(document, returnTo);
  return new URL(String(replace.mock.calls[0]?.[0]));
}

/** Where the user pool sends somebody to: our address, with these parameters. */
export function back(parameters: Record<string, string>): Location {
  return { origin: "https://lobby.test", search: `?${new URLSearchParams(parameters)}` } as Location;
}

/** Somebody who has signed in; `rest` are the token endpoint's answers to what is asked after that. */
export async function signedIn(
  ...rest: (Response | (() => Response))[]
): Promise<{ session: Session; asked: Asked[] }> {
  const left = await depart();
  const nonce = left.searchParams.get("nonce") ?? "";
  const asked = answering(tokens({ id_token: idToken({ nonce }) }), ...rest);
  const session = await Session.arrive(
    DOCUMENT,
    back({ code: "C", state: left.searchParams.get("state") ?? "" }),
  );
  if (!session) throw new Error("got no session, want one");
  return { session, asked };
}
