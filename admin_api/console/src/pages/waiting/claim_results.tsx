/** The results of a bulk claim with failures, grouped by reason, with a way to try again. */

import { Alert, Button, Group, Stack } from "@mantine/core";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";
import { formatNumber } from "../../parts/numbers";
import { DeviceGroups } from "../device_groups";
import type { Outcome } from "./bulk_claim";

interface Props {
  outcomes: readonly Outcome[];
  names: ReadonlyMap<string, string | null>;
  onAgain: (certids: readonly string[]) => void;
  onClose: () => void;
}

export function ClaimResults({ outcomes, names, onAgain, onClose }: Props) {
  const failed = outcomes.filter((outcome) => !outcome.ok);
  const claimed = outcomes.length - failed.length;
  return (
    <Stack>
      {claimed > 0 && (
        <Alert role="status" color="green" icon={<IconCheck aria-hidden />} py="xs">
          {formatNumber(claimed)} claimed
        </Alert>
      )}
      <Alert
        role="alert"
        color="red"
        icon={<IconAlertTriangle aria-hidden />}
        title={`${formatNumber(failed.length)} not claimed`}
      >
        <DeviceGroups failed={failed} names={names} />
      </Alert>
      <Group justify="flex-end">
        <Button variant="default" onClick={() => onAgain(failed.map((outcome) => outcome.certid))}>
          Try again
        </Button>
        <Button onClick={onClose}>Done</Button>
      </Group>
    </Stack>
  );
}
