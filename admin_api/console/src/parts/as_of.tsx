/** Says that what is shown is no longer fresh, and since when; nothing while all is well. */
import { Alert, Button, Group, Text } from "@mantine/core";
import { useNetwork } from "@mantine/hooks";
import { IconCloudOff } from "@tabler/icons-react";
import { type Failure, titleOf } from "../api/failures";

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

interface Props {
  /** When it was true. */
  at: Date;
  failure?: Failure | undefined;
  onRetry: () => void;
}

export function AsOf({ at, failure, onRetry }: Props) {
  const { online } = useNetwork();
  if (online && !failure) return null;
  const why = online && failure ? wordsOf(failure) : "There is no network.";
  return (
    <Alert role="status" color="yellow" variant="light" icon={<IconCloudOff aria-hidden />} mb="sm" py="xs">
      <Group justify="space-between" gap="xs">
        <Text size="sm" flex="1 1 12rem">
          {why} This is as it was at {CLOCK.format(at)}.
        </Text>
        {online && (
          <Button size="xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        )}
      </Group>
    </Alert>
  );
}

function wordsOf({ code, message }: Failure): string {
  const title = titleOf(code);
  return title === code ? `${message} (${code}).` : `${title} (${code}).`;
}
