/**
 * The GraphQL client. It sends the session's bearer token to the console's own origin and renews the token
 * before it expires or when it is rejected. If the session cannot be renewed, requests wait until the user has
 * signed in again. Measures the lobby's clock with each response.
 */
import { Client, cacheExchange, fetchExchange } from "@urql/core";
import { authExchange } from "@urql/exchange-auth";
import { timedFetch } from "../clock/server_clock";
import { type Session, SignInFailed } from "../sign_in/session";

const TIMEOUT_MS = 30_000;

export function createClient(session: Session | null, signInAgain: () => Promise<void>): Client {
  return new Client({
    url: "/graphql",
    preferGetMethod: false,
    fetch: (input, init) => timedFetch(input, { ...init, signal: withTimeout(init?.signal) }),
    exchanges: [
      cacheExchange,
      authExchange(async (utils) => ({
        addAuthToOperation: (operation) =>
          session
            ? utils.appendHeaders(operation, { authorization: `Bearer ${session.accessToken}` })
            : operation,
        willAuthError: () => session?.isStale ?? false,
        didAuthError: (error) => (error.response as Response | undefined)?.status === 401,
        refreshAuth: async () => {
          try {
            await session?.refresh();
          } catch (error) {
            // Offline, the operation itself reports the failure; the session may still be valid.
            if (error instanceof SignInFailed) await signInAgain();
          }
        },
      })),
      fetchExchange,
    ],
  });
}

function withTimeout(signal: AbortSignal | null | undefined): AbortSignal {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  return signal ? AbortSignal.any([signal, timeout]) : timeout;
}
