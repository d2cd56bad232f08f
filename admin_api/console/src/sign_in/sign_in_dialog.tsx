/**
 * Signs the user in again in another window, so that the page keeps its input. If the browser blocks the
 * window, the user can reload the page instead, after a warning.
 */
import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { signInPrompt, usePrompt } from "./prompt";
import { onAnswer, type SignInRequest } from "./request";
import type { Session } from "./session";
import { OtherUser } from "./sign_in_failed";

const WINDOW = "popup,width=480,height=680";

export function SignInDialog({ session }: { session: Session }) {
  const opened = usePrompt() === "open";
  return (
    <Modal
      opened={opened}
      onClose={() => signInPrompt.putOff()}
      title="Sign in again"
      centered
      zIndex={400}
      closeOnClickOutside={false}
    >
      {opened && <SignIn session={session} />}
    </Modal>
  );
}

function SignIn({ session }: { session: Session }) {
  const { address, failure } = useSignIn(session);
  const [blocked, setBlocked] = useState(false);
  const begin = () => setBlocked(window.open(address, "_blank", WINDOW) === null);
  return (
    <Stack>
      <Text size="sm">
        Your session has ended. Sign in in another window; this page and what you have entered stay.
      </Text>
      {failure && (
        <Alert role="alert" color="red" p="xs" icon={<IconAlertTriangle aria-hidden />}>
          {failure}
        </Alert>
      )}
      {blocked && (
        <Alert role="alert" color="yellow" p="xs" icon={<IconAlertTriangle aria-hidden />}>
          The browser has blocked the window. Allow it for this page, or reload the page: it asks you to sign
          in, but what you have entered is lost.
        </Alert>
      )}
      <Group justify="flex-end">
        {blocked ? (
          <Button variant="default" onClick={() => location.reload()}>
            Reload page
          </Button>
        ) : (
          <Button variant="default" onClick={() => signInPrompt.putOff()}>
            Not now
          </Button>
        )}
        <Button disabled={!address} onClick={begin} data-autofocus>
          Sign in
        </Button>
      </Group>
    </Stack>
  );
}

/** Prepares the address in advance, because a browser opens a window only directly after a click. */
function useSignIn(session: Session): { address: URL | undefined; failure: string | undefined } {
  const [request, setRequest] = useState<[SignInRequest, URL]>();
  const [failure, setFailure] = useState<string>();
  const [attempt, setAttempt] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a failed attempt needs another request.
  useEffect(() => {
    let wanted = true;
    void session.requestInOtherWindow().then((made) => wanted && setRequest(made));
    return () => {
      wanted = false;
    };
  }, [session, attempt]);

  useEffect(() => {
    if (!request) return;
    return onAnswer(request[0], (answer) => {
      session.resume(answer, request[0]).then(
        () => signInPrompt.done(),
        (error: unknown) => {
          if (error instanceof OtherUser)
            location.reload(); // the page belongs to the user who left
          else setFailure(error instanceof Error ? error.message : String(error));
          setAttempt((before) => before + 1);
        },
      );
    });
  }, [request, session]);

  return { address: request?.[1], failure };
}
