/**
 * Shows the console to signed-in users, sends others to the sign-in page, and lets technicians work offline:
 * without a session, only the claims queued on the phone can be viewed and added to.
 */
import { Button, Center, Loader, Stack, Text, Title } from "@mantine/core";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { timedFetch } from "../clock/server_clock";
import { onReconnect } from "./reconnect";
import { leave, Session, type SignInDocument, SignInFailed } from "./session";

/** Null if the page was opened offline. */
export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session | null {
  return useContext(SessionContext);
}

type SignInState =
  | { at: "signing in" }
  | { at: "in"; session: Session }
  | { at: "offline" }
  | { at: "failed"; message: string };

export function SignInGate({ children }: { children: ReactNode }) {
  const [state, setState] = useState<SignInState>({ at: "signing in" });

  useEffect(() => {
    let stillHere = true;
    arrive().then(
      (next) => stillHere && next && setState(next),
      (error: unknown) => stillHere && setState(failureOf(error)),
    );
    return () => {
      stillHere = false;
    };
  }, []);

  useEffect(() => {
    if (state.at !== "offline") return;
    return onReconnect(() => location.reload());
  }, [state.at]);

  if (state.at === "signing in") return <SigningIn />;
  if (state.at === "failed") return <Failed message={state.message} />;
  return <SessionContext value={state.at === "in" ? state.session : null}>{children}</SessionContext>;
}

/** The next status; undefined while the browser opens the sign-in page. */
async function arrive(): Promise<SignInState | undefined> {
  const document = await signInDocument();
  if (!document) return { at: "offline" };
  pendingSession ??= Session.arrive(document, location);
  const session = await pendingSession;
  if (session) return { at: "in", session };
  await leave(document, location.pathname + location.search + location.hash);
  return undefined;
}

/** An authorization code works once; React's strict mode mounts twice and must not use it twice. */
let pendingSession: Promise<Session | null> | undefined;

/** In ms. If the page works offline, a slow network counts as offline, because claims can be queued. */
function requestTimeout(): number {
  return navigator.serviceWorker?.controller ? 8_000 : 60_000;
}

/** Null when offline. */
async function signInDocument(): Promise<SignInDocument | null> {
  let answer: Response;
  try {
    answer = await timedFetch("/sign-in.json", {
      cache: "no-store",
      signal: AbortSignal.timeout(requestTimeout()),
    });
  } catch {
    return null;
  }
  if (answer.status >= 500) return null; // the lobby recovers, or its network does
  const document = answer.ok ? await answer.json().catch(() => null) : null;
  if (isSignInDocument(document)) return document;
  throw new SignInFailed(
    "This address does not respond like a lobby. Your network may require you to sign in to it: open another page, then try again.",
  );
}

function isSignInDocument(value: unknown): value is SignInDocument {
  return typeof value === "object" && value !== null && "authorize_url" in value && "client_id" in value;
}

function failureOf(error: unknown): SignInState {
  if (error instanceof TypeError) return { at: "offline" };
  if (error instanceof SignInFailed) return { at: "failed", message: error.message };
  console.error(error);
  return { at: "failed", message: "This page can't start. Try again, or use another browser." };
}

function SigningIn() {
  return (
    <Center h="100dvh" role="status" aria-label="Signing in">
      <Loader />
    </Center>
  );
}

function Failed({ message }: { message: string }) {
  return (
    <Center h="100dvh" p="md">
      <Stack align="center" maw={420} role="alert">
        <Title order={1} size="h3">
          Sign-in failed
        </Title>
        <Text ta="center" c="dimmed">
          {message}
        </Text>
        <Button onClick={() => location.reload()}>Sign in again</Button>
      </Stack>
    </Center>
  );
}
