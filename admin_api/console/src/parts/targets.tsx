/** Shows and selects a target. */
import { Select, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { ForeignText, isolated } from "./foreign_text";
import { keyOf, MANY_TARGETS, type TargetEntry, type TargetName } from "./target_names";

export { keyOf, TARGETS, type TargetEntry, type TargetName, useTargets } from "./target_names";

/** A target's name if known, with its account and Region below. */
export function TargetLabel({
  target,
  known,
  oneLine = false,
}: {
  target: TargetName;
  known?: readonly TargetEntry[] | undefined;
  /** Cut off what does not fit, so that the rows of a table stay low. */
  oneLine?: boolean;
}) {
  const name = known?.find((each) => keyOf(each) === keyOf(target))?.name;
  return (
    <Stack gap={0} component="span" title={oneLine ? name : undefined}>
      {name && (
        <Text component="span" size="sm" truncate={oneLine}>
          <ForeignText>{name}</ForeignText>
        </Text>
      )}
      <Text
        component="span"
        size={name ? "xs" : "sm"}
        c={name ? "dimmed" : undefined}
        ff="monospace"
        truncate={oneLine}
      >
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
  placeholder?: string;
  /** Why there is no choice. */
  error?: ReactNode;
}

export function TargetPicker({
  targets,
  value,
  onChange,
  label = "Target",
  clearable = false,
  size = "sm",
  placeholder = "Choose a target",
  error,
}: PickerProps) {
  return (
    <Select
      label={label}
      placeholder={placeholder}
      data={targets.map((target) => ({
        value: keyOf(target),
        label: `${isolated(target.name)} · ${keyOf(target)}`,
      }))}
      value={value}
      onChange={onChange}
      searchable={targets.length > MANY_TARGETS}
      clearable={clearable}
      size={size}
      nothingFoundMessage="No matches"
      error={error}
    />
  );
}
