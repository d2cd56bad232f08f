/** Chooses among the reasons why devices failed or were refused; there is none to choose in any other state. */
import { Select, Stack, Text } from "@mantine/core";
import type { Counts } from "../../parts/counts";
import { whole } from "../../parts/numbers";
import { reasonWords } from "../../parts/reasons";

/** States in which devices have one. */
export const WITH_REASON: readonly string[] = ["failed", "refused"];

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
              {count !== undefined && ` (${whole(count)})`}
            </Text>
            <Text size="xs" c="dimmed">
              {reasonWords(option.value).meaning}
            </Text>
          </Stack>
        );
      }}
    />
  );
}
