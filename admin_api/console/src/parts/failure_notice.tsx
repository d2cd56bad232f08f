/** A failure: title, message, code and a button to try again, or to sign in. */
import { Alert, Button, Code, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconWifiOff } from "@tabler/icons-react";
import { type Failure, OFFLINE, titleOf, UNAUTHENTICATED } from "../api/failures";
import { signInPrompt } from "../sign_in/prompt";

export function FailureNotice({ failure, onRetry }: { failure: Failure; onRetry?: () => void }) {
  const offline = failure.code === OFFLINE;
  return (
    <Alert
      role="alert"
      color={offline ? "yellow" : "red"}
      icon={offline ? <IconWifiOff aria-hidden /> : <IconAlertTriangle aria-hidden />}
      title={titleOf(failure.code)}
    >
      <Stack gap="xs">
        <Text size="sm">{failure.message}</Text>
        <Group gap="xs" justify="space-between">
          <Code>{failure.correlationId ? `${failure.code} · ${failure.correlationId}` : failure.code}</Code>
          {failure.code === UNAUTHENTICATED && (
            <Button size="xs" onClick={() => signInPrompt.open()}>
              Sign in
            </Button>
          )}
          {onRetry && (
            <Button size="xs" variant="default" onClick={onRetry}>
              Try again
            </Button>
          )}
        </Group>
      </Stack>
    </Alert>
  );
}
