/** Actions for the selected devices. Stays visible above the bottom bar of a phone. */

import { Anchor, Button, Group, Paper, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { formatNumber } from "../../parts/numbers";
import { MAX_SELECTED } from "./selection";

interface Props {
  selected: number;
  /** The number of selected devices that are not shown. */
  beyond: number;
  /** Whether all shown devices are selected and there are more. */
  more: boolean;
  /** The total number of waiting devices, if known. */
  total: number | undefined;
  loading: boolean;
  onSelectAll: () => void;
  onClear: () => void;
  onClaim: () => void;
  /** Further actions for the selected devices. */
  children?: ReactNode;
}

export function SelectionBar({
  selected,
  beyond,
  more,
  total,
  loading,
  onSelectAll,
  onClear,
  onClaim,
  children,
}: Props) {
  if (selected === 0) return null;
  const full = selected >= MAX_SELECTED;
  return (
    <Paper withBorder shadow="md" p="xs" mt="sm" className="at-hand" role="region" aria-label="Selection">
      <Group justify="space-between" gap="xs">
        <Text size="sm" role="status">
          <b>{formatNumber(selected)}</b> selected{full && " (maximum)"}
          {beyond > 0 && `, ${formatNumber(beyond)} not shown`}
          {more && !full && (
            <>
              {" · "}
              <Anchor
                component="button"
                type="button"
                size="sm"
                underline="always"
                py={12}
                my={-12}
                onClick={onSelectAll}
                disabled={loading}
              >
                {loading ? "Loading…" : selectAllText(total)}
              </Anchor>
            </>
          )}
        </Text>
        <Group gap="xs" justify="flex-end" ml="auto">
          <Button variant="default" onClick={onClear}>
            Clear
          </Button>
          {children}
          <Button onClick={onClaim} disabled={loading}>
            Claim {formatNumber(selected)}…
          </Button>
        </Group>
      </Group>
    </Paper>
  );
}

function selectAllText(total: number | undefined): string {
  if (total === undefined || total > MAX_SELECTED)
    return `Select the newest ${formatNumber(MAX_SELECTED)} waiting`;
  return `Select all ${formatNumber(total)} waiting`;
}
