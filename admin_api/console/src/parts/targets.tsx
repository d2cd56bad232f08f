/** The targets that the person may see, and how one is shown and picked. */
import { Select, Stack, Text } from "@mantine/core";
import { useQuery } from "urql";
import { graphql, type ResultOf } from "../api/graphql";

export const TARGETS = graphql(`
  query Targets { targets { account region name profiles } }
`);

export type TargetEntry = ResultOf<typeof TARGETS>["targets"][number];

export interface TargetName {
  account: string;
  region: string;
}

/** `123456789012/eu-west-1`: one target in one word. */
export function keyOf(target: TargetName): string {
  return `${target.account}/${target.region}`;
}

/** A list without entries names no type: said here, so that it is asked again when one is registered. */
const OF_TARGETS = { additionalTypenames: ["RegisteredTarget"] };

export function useTargets() {
  const [answer, again] = useQuery({ query: TARGETS, context: OF_TARGETS });
  return { targets: answer.data?.targets, error: answer.error, fetching: answer.fetching, again };
}

/** A target's name where it is known, its account and Region beneath. */
export function TargetLabel({
  target,
  known,
}: {
  target: TargetName;
  known?: readonly TargetEntry[] | undefined;
}) {
  const name = known?.find((each) => keyOf(each) === keyOf(target))?.name;
  return (
    <Stack gap={0} component="span">
      {name && (
        <Text component="span" size="sm">
          {name}
        </Text>
      )}
      <Text component="span" size={name ? "xs" : "sm"} c={name ? "dimmed" : undefined} ff="monospace">
        {keyOf(target)}
      </Text>
    </Stack>
  );
}

interface PickerProps {
  targets: readonly TargetEntry[];
  value: string | null;
  onChange: (key: string | null) => void;
  label?: string;
  clearable?: boolean;
  size?: "sm" | "md" | "lg";
}

export function TargetPicker({
  targets,
  value,
  onChange,
  label = "Target",
  clearable = false,
  size = "sm",
}: PickerProps) {
  return (
    <Select
      label={label}
      placeholder="Account and Region"
      data={targets.map((target) => ({ value: keyOf(target), label: `${target.name} · ${keyOf(target)}` }))}
      value={value}
      onChange={onChange}
      searchable={targets.length > 8}
      clearable={clearable}
      size={size}
      nothingFoundMessage="No such target"
    />
  );
}
