/** Filters by state with device counts: buttons on a desktop, a list on a phone. */
import { Button, Group, Select, Text } from "@mantine/core";
import type { Counts } from "../../parts/counts";
import { formatNumber } from "../../parts/numbers";
import { usePhone } from "../../parts/phone";
import { STATES } from "../../parts/state_badge";

interface Props {
  state: string | null;
  counts: Counts;
  onChange: (state: string | null) => void;
}

export function StateFilter({ state, counts, onChange }: Props) {
  const phone = usePhone();
  if (phone)
    return (
      <Select
        label="State"
        placeholder="All"
        clearable
        value={state}
        onChange={onChange}
        data={Object.entries(STATES).map(([value, { label }]) => {
          const count = counts.of(value);
          return { value, label: count === undefined ? label : `${label} (${formatNumber(count)})` };
        })}
      />
    );
  return (
    <Group gap={6} role="group" aria-label="State">
      <Pill label="All" count={counts.total} on={state === null} onClick={() => onChange(null)} />
      {Object.entries(STATES).map(([key, { label }]) => (
        <Pill
          key={key}
          label={label}
          count={counts.of(key)}
          on={state === key}
          onClick={() => onChange(state === key ? null : key)}
        />
      ))}
    </Group>
  );
}

interface PillProps {
  label: string;
  count: number | undefined;
  on: boolean;
  onClick: () => void;
}

function Pill({ label, count, on, onClick }: PillProps) {
  return (
    <Button
      size="xs"
      px="sm"
      radius="xl"
      fw={500}
      variant={on ? "filled" : "default"}
      aria-pressed={on}
      onClick={onClick}
    >
      {label}
      {count !== undefined && (
        <Text span size="xs" ml={6} c={on || count > 0 ? "inherit" : "dimmed"} opacity={0.85}>
          {formatNumber(count)}
        </Text>
      )}
    </Button>
  );
}
