/** One claim in the list: its device, target and status; children add the rest. */
import { Card, Group, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { shortForm } from "../../label/short_form";
import { isolated } from "../../parts/foreign_text";
import { keyOf, type TargetEntry } from "../../parts/target_names";
import type { Entry } from "./queue/entry";

interface Props {
  entry: Entry;
  targets: readonly TargetEntry[] | undefined;
  badge: ReactNode;
  children?: ReactNode;
}

export function RowCard({ entry, targets, badge, children }: Props) {
  const name = targets?.find((target) => keyOf(target) === keyOf(entry.target))?.name;
  return (
    <Card component="li" withBorder padding="sm">
      <Stack gap={8}>
        <div>
          <Group justify="space-between" gap="xs">
            <Text fw={600} ff="monospace" title={entry.certid}>
              {shortForm(entry.certid)}
            </Text>
            {badge}
          </Group>
          <Text size="xs" c="dimmed">
            {name ? `${isolated(name)} · ` : ""}
            {keyOf(entry.target)}
            {entry.profile !== null && ` · ${entry.profile}`}
          </Text>
        </div>
        {children}
      </Stack>
    </Card>
  );
}
