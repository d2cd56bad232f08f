/**
 * Lets in whoever is signed in, sends everybody else to the sign-in page, and lets a technician work on without a
 * network: then there is no session, and only what is queued on the device can be seen and added to.
 */
import { Button, Center, Loader, Stack, Text, Title } from "@mantine/core";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { onComeback } from "./comeback";
import { leave, Session, type SignInDocument, SignInFailed } from "./session";

/** Null where the page was opened without a network. */
export const Signed = createContext<Session | null>(null);

export function useSession(): Session | null {
  return useContext(Signed);
}

type Standing =
  | { at: "arriving" }
  | { at: "in"; session: Session }
  | { at: "offline" }
  | { at: "failed"; words: string };

export function SignInGate({ children }: { children: ReactNode }) {
  const [standing, setStanding] = useState<Standing>({ at: "arriving" });

  useEffect(() => {
    let stillHere = true;
    arrive().then(
      (next) => stillHere && next && setStanding(next),
      (error: unknown) => stillHere && setStanding(failureOf(error)),
    );
    return () => {
      stillHere = false;
    };
  }, []);

  useEffect(() => {
    if (standing.at !== "offline") return;
    return onComeback(() => location.reload());
  }, [standing.at]);

  if (standing.at === "arriving") return <Arriving />;
  if (standing.at === "failed") return <Failed words={standing.words} />;
  return <Signed value={standing.at === "in" ? standing.session : null}>{children}</Signed>;
}

/** What comes next; undefined while the browser is on its way to the sign-in page. */
async function arrive(): Promise<Standing | undefined> {
  const document = await signInDocument();
  if (!document) return { at: "offline" };
  arriving ??= Session.arrive(document, location);
  const session = await arriving;
  if (session) return { at: "in", session };
  await leave(document, location.pathname + location.search);
  return undefined;
}

/** A code is good once: React's strict mode, which mounts twice, must not spend it twice. */
let arriving: Promise<Session | null> | undefined;

/** Where the page works without a network, one that takes longer is none: claims can be queued meanwhile. */
function patience(): number {
  return navigator.serviceWorker?.controller ? 8_000 : 60_000;
}

/** Null without a network. */
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

function failureOf(error: unknown): Standing {
  if (error instanceof TypeError) return { at: "offline" };
  return { at: "failed", words: error instanceof Error ? error.message : String(error) };
}

function Arriving() {
  return (
    <Center h="100dvh" role="status" aria-label="Signing in">
      <Loader />
    </Center>
  );
}

function Failed({ words }: { words: string }) {
  return (
    <Center h="100dvh" p="md">
      <Stack align="center" maw={420} role="alert">
        <Title order={1} size="h3">
          You are not signed in
        </Title>
        <Text ta="center" c="dimmed">
          {words}
        </Text>
        <Button onClick={() => location.assign("/")}>Sign in again</Button>
      </Stack>
    </Center>
  );
}
