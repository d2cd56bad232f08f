/** What can be done with those that are selected; it stays at hand, above a phone's thumb bar, however long the list. */

import { Anchor, Button, Group, Paper, Text } from "@mantine/core";
import { whole } from "../../parts/numbers";
import { MAX_SELECTED } from "./selection";

interface Props {
  selected: number;
  /** How many of them are not shown, further down. */
  beyond: number;
  /** Whether all that are shown are, and there are more of them. */
  more: boolean;
  /** How many wait in all, where it is known. */
  total: number | undefined;
  loading: boolean;
  onEverybody: () => void;
  onClear: () => void;
  onClaim: () => void;
}

export function SelectionBar({
  selected,
  beyond,
  more,
  total,
  loading,
  onEverybody,
  onClear,
  onClaim,
}: Props) {
  if (selected === 0) return null;
  const full = selected >= MAX_SELECTED;
  return (
    <Paper withBorder shadow="md" p="xs" mt="sm" className="at-hand" role="region" aria-label="Selection">
      <Group justify="space-between" gap="xs">
        <Text size="sm" role="status">
          <b>{whole(selected)}</b> selected{full && `, which is as many as one claim takes`}
          {beyond > 0 && `, ${whole(beyond)} of them further down`}
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
                onClick={onEverybody}
                disabled={loading}
              >
                {loading ? "Loading the others…" : everybodyWords(total)}
              </Anchor>
            </>
          )}
        </Text>
        <Group gap="xs" wrap="nowrap" ml="auto">
          <Button variant="default" onClick={onClear}>
            Clear
          </Button>
          <Button onClick={onClaim} disabled={loading}>
            Claim {whole(selected)}…
          </Button>
        </Group>
      </Group>
    </Paper>
  );
}

function everybodyWords(total: number | undefined): string {
  if (total === undefined || total > MAX_SELECTED)
    return `Select the newest ${whole(MAX_SELECTED)} that wait`;
  return `Select all ${whole(total)} that wait`;
}
