/** A notice that the data is out of date, and since when. */
import { Alert, Button, Group, Text } from "@mantine/core";
import { useNetwork } from "@mantine/hooks";
import { IconCloudOff } from "@tabler/icons-react";
import { type Failure, titleOf } from "../api/failures";

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

interface Props {
  /** When the data was loaded. */
  at: Date;
  failure?: Failure | undefined;
  onRetry: () => void;
}

export function StaleNotice({ at, failure, onRetry }: Props) {
  const { online } = useNetwork();
  if (online && !failure) return null;
  const why = online && failure ? failureText(failure) : "You're offline.";
  return (
    <Alert role="status" color="yellow" variant="light" icon={<IconCloudOff aria-hidden />} mb="sm" py="xs">
      <Group justify="space-between" gap="xs">
        <Text size="sm" flex="1 1 12rem">
          {why} Last updated at {CLOCK.format(at)}.
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

function failureText({ code, message }: Failure): string {
  const title = titleOf(code);
  return title === code ? `${message} (${code}).` : `${title} (${code}).`;
}
