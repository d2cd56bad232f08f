/** Leaving for the sign-in page and returning, as the browser does it. */
import { vi } from "vitest";
import { leave, Session } from "../../src/sign_in/session";
import { answering, DOCUMENT, idToken, type RecordedRequest, tokens } from "./user_pool";

/** Leave and return the address of the sign-in page. */
export async function depart(returnTo = "/waiting?x=1", document = DOCUMENT): Promise<URL> {
  const replace = vi.fn();
  // jsdom's ArrayBuffer differs from the one that Node's digests use.
  vi.stubGlobal("ArrayBuffer", new TextEncoder().encode().buffer.constructor);
  vi.stubGlobal("location", { origin: "https://lobby.test", replace, assign: vi.fn() });
  await leave(document, returnTo);
  return new URL(String(replace.mock.calls[0]?.[0]));
}

/** Return our address with these parameters, as the user pool redirects to it. */
export function back(parameters: Record<string, string>): Location {
  return { origin: "https://lobby.test", search: `?${new URLSearchParams(parameters)}` } as Location;
}

/** Sign in; `rest` are the token endpoint's later responses. */
export async function signedIn(
  ...rest: (Response | (() => Response))[]
): Promise<{ session: Session; requests: RecordedRequest[] }> {
  const left = await depart();
  const nonce = left.searchParams.get("nonce") ?? "";
  const requests = answering(tokens({ id_token: idToken({ nonce }) }), ...rest);
  const session = await Session.arrive(
    DOCUMENT,
    back({ code: "C", state: left.searchParams.get("state") ?? "" }),
  );
  if (!session) throw new Error("got no session, want one");
  return { session, requests };
}
