/** The results of a bulk claim with failures, grouped by reason, with a way to try again. */

import { Alert, Anchor, Button, Code, Group, List, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";
import { Link } from "wouter";
import { titleOf } from "../../api/failures";
import { shortForm } from "../../label/short_form";
import { formatNumber } from "../../parts/numbers";
import { deviceAddress } from "../addresses";
import type { Outcome } from "./bulk_claim";
import { byReason } from "./by_reason";

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
        <Stack gap="md">
          {byReason(failed).map((reason) => (
            <Stack key={`${reason.code} ${reason.message}`} gap={4}>
              <Text size="sm" fw={600}>
                {titleOf(reason.code)} <Code>{reason.code}</Code>
              </Text>
              <Text size="sm">{reason.message}</Text>
              <Devices certids={reason.certids} names={names} />
            </Stack>
          ))}
        </Stack>
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

function Devices({ certids, names }: { certids: readonly string[]; names: Props["names"] }) {
  return (
    <List
      size="sm"
      mah={180}
      style={{ overflowY: "auto" }}
      tabIndex={certids.length > 6 ? 0 : undefined}
      aria-label="Devices"
    >
      {certids.map((certid) => (
        <List.Item key={certid}>
          <Anchor component={Link} href={deviceAddress(certid)} size="sm">
            {names.get(certid) ?? shortForm(certid)}
          </Anchor>
        </List.Item>
      ))}
    </List>
  );
}
