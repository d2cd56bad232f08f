/** Filters by the reason for a failure, refusal or quarantine; of other states, only suspected devices have one. */
import { Select, Stack, Text } from "@mantine/core";
import type { Counts } from "../../parts/counts";
import { formatNumber } from "../../parts/numbers";
import { reasonText } from "../../parts/reasons";

/** States whose devices have a reason. */
export const WITH_REASON: readonly string[] = ["failed", "refused", "quarantined"];

interface Props {
  state: string | null;
  reason: string | null;
  counts: Counts;
  onChange: (reason: string | null) => void;
}

export function ReasonFilter({ state, reason, counts, onChange }: Props) {
  const known = new Map<string, number | undefined>(reason === null ? [] : [[reason, undefined]]);
  for (const each of counts.reasons(state ?? "")) known.set(each.reason, each.count);
  return (
    <Select
      label="Reason"
      placeholder="All"
      clearable
      value={reason}
      onChange={onChange}
      data={[...known.keys()]}
      renderOption={({ option }) => {
        const count = known.get(option.value);
        return (
          <Stack gap={0}>
            <Text size="sm">
              {option.value}
              {count !== undefined && ` (${formatNumber(count)})`}
            </Text>
            <Text size="xs" c="dimmed">
              {reasonText(option.value).meaning}
            </Text>
          </Stack>
        );
      }}
    />
  );
}
