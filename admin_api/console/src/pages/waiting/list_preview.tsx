/** The claims of a list by target, and the refused rows with their reasons. */
import { Alert, Code, List, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import type { ClaimList } from "../../list_file/claim_list";
import { formatNumber, pluralize } from "../../parts/numbers";
import { keyOf, type TargetEntry, TargetLabel } from "../../parts/targets";
import { groupsOf } from "./list_groups";

/** The number of refused rows that are shown. */
const SHOWN = 100;

export function ListPreview({ list, targets }: { list: ClaimList; targets: readonly TargetEntry[] }) {
  const { rows, errors, duplicates } = list;
  return (
    <Stack gap="sm">
      <Text size="sm" fw={600} role="status">
        {pluralize(rows.length, "device")} to claim
        {errors.length > 0 && `, ${pluralize(errors.length, "row")} refused`}
        {duplicates.length > 0 && `, ${pluralize(duplicates.length, "row")} repeated`}
      </Text>
      {byTarget(list).map(([key, target, count]) => (
        <Text key={key} size="sm" component="div">
          <b>{formatNumber(count)}</b> for <TargetLabel target={target} known={targets} />
        </Text>
      ))}
      {errors.length > 0 && (
        <Alert
          color="orange"
          icon={<IconAlertTriangle aria-hidden />}
          title={`${pluralize(errors.length, "row")} refused: not claimed`}
        >
          <List
            size="sm"
            mah={220}
            style={{ overflowY: "auto" }}
            tabIndex={0}
            listStyleType="none"
            aria-label="Refused rows"
          >
            {errors.slice(0, SHOWN).map(({ line, code, message }) => (
              <List.Item key={`${line} ${code}`}>
                Line {line}: <Code>{code}</Code> {message}
              </List.Item>
            ))}
            {errors.length > SHOWN && <List.Item>and {formatNumber(errors.length - SHOWN)} more</List.Item>}
          </List>
        </Alert>
      )}
    </Stack>
  );
}

function byTarget(list: ClaimList) {
  const counts = new Map<string, [string, { account: string; region: string }, number]>();
  for (const { certids, request } of groupsOf(list)) {
    const key = keyOf(request.target);
    counts.set(key, [key, request.target, (counts.get(key)?.[2] ?? 0) + certids.length]);
  }
  return [...counts.values()];
}
