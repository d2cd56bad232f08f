/** Devices grouped by the reason for which they are refused or failed, each with a link to its page. */
import { Anchor, Code, List, Stack, Text } from "@mantine/core";
import { Link } from "wouter";
import { titleOf } from "../api/failures";
import { shortForm } from "../label/short_form";
import { formatNumber } from "../parts/numbers";
import { deviceAddress } from "./addresses";
import { byReason, type Failed } from "./by_reason";

interface Props {
  failed: readonly Failed[];
  names: ReadonlyMap<string, string | null>;
}

/** At most this many devices of a group are listed; the file of results has all. */
const MAX_LISTED = 100;

export function DeviceGroups({ failed, names }: Props) {
  return (
    <Stack gap="md">
      {byReason(failed).map((reason) => (
        <Stack key={`${reason.code} ${reason.message}`} gap={4}>
          <Text size="sm" fw={600}>
            {formatNumber(reason.certids.length)} × {titleOf(reason.code)} <Code>{reason.code}</Code>
          </Text>
          <Text size="sm">{reason.message}</Text>
          <List
            size="sm"
            mah={140}
            style={{ overflowY: "auto" }}
            tabIndex={reason.certids.length > 5 ? 0 : undefined}
            aria-label={`Devices: ${titleOf(reason.code)}`}
          >
            {reason.certids.slice(0, MAX_LISTED).map((certid) => (
              <List.Item key={certid}>
                <Anchor component={Link} href={deviceAddress(certid)} size="sm">
                  {names.get(certid) ?? shortForm(certid)}
                </Anchor>
              </List.Item>
            ))}
          </List>
          {reason.certids.length > MAX_LISTED && (
            <Text size="sm" c="dimmed">
              and {formatNumber(reason.certids.length - MAX_LISTED)} others
            </Text>
          )}
        </Stack>
      ))}
    </Stack>
  );
}
