/**
 * Shows the console to signed-in users, sends others to the sign-in page, and lets technicians work offline:
 * without a session, only the claims queued on the phone can be viewed and added to.
 */
import { Button, Center, Loader, Stack, Text, Title } from "@mantine/core";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
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

/** The next status; undefined while the browser leaves for the sign-in page. */
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

/** Where the page works offline, a slow network counts as offline, because claims can be queued. */
function patience(): number {
  return navigator.serviceWorker?.controller ? 8_000 : 60_000;
}

/** Null when offline. */
async function signInDocument(): Promise<SignInDocument | null> {
  let answer: Response;
  try {
    answer = await fetch("/sign-in.json", { signal: AbortSignal.timeout(patience()) });
  } catch {
    return null;
  }
  if (!answer.ok) throw new SignInFailed(`got ${answer.status} for /sign-in.json, want 200`);
  return (await answer.json()) as SignInDocument;
}

function failureOf(error: unknown): SignInState {
  if (error instanceof TypeError) return { at: "offline" };
  return { at: "failed", message: error instanceof Error ? error.message : String(error) };
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
        <Button onClick={() => location.assign("/")}>Sign in again</Button>
      </Stack>
    </Center>
  );
}
