/**
 * A bar of devices by state, in lifecycle order. The same numbers are always shown as text next to it;
 * `StateNumbers` is that text with icons.
 */
import { Group, Text } from "@mantine/core";
import type { CSSProperties } from "react";
import { formatNumber } from "./numbers";
import { STATES, stateInfo } from "./state_badge";
import classes from "./state_bar.module.css";

export interface StateCount {
  state: string;
  count: number;
}

const LIFECYCLE = Object.keys(STATES);

/** The non-empty states in lifecycle order. */
export function lifecycleOrder(counts: readonly StateCount[]): StateCount[] {
  const place = ({ state }: StateCount) =>
    LIFECYCLE.includes(state) ? LIFECYCLE.indexOf(state) : LIFECYCLE.length;
  return counts.filter(({ count }) => count > 0).sort((one, other) => place(one) - place(other));
}

/** "3 failed, 1,200 arrived": the content of a bar as text. */
export function describeCounts(counts: readonly StateCount[]): string {
  const text = lifecycleOrder(counts).map(
    ({ state, count }) => `${formatNumber(count)} ${stateInfo(state).label.toLowerCase()}`,
  );
  return text.join(", ") || "no devices";
}

/** A state's colour with sufficient contrast on white and on black. */
function toneOf(state: string): CSSProperties {
  const { color } = stateInfo(state);
  const [light, dark] = color === "gray" ? [6, 5] : [8, 5];
  return {
    "--tone-light": `var(--mantine-color-${color}-${light})`,
    "--tone-dark": `var(--mantine-color-${color}-${dark})`,
  } as CSSProperties;
}

interface BarProps {
  counts: readonly StateCount[];
  /** The count that fills the full width; defaults to this bar's total. */
  full?: number;
  height?: number;
  /** Omitted where the same content is shown as text, so that it is not announced twice. */
  label?: string;
}

export function StateBar({ counts, full, height = 10, label }: BarProps) {
  const parts = lifecycleOrder(counts);
  const total = parts.reduce((sum, { count }) => sum + count, 0);
  const width = full ? `${Math.max((total / full) * 100, total > 0 ? 1.5 : 0)}%` : "100%";
  const accessibility = label ? { role: "img", "aria-label": label } : { "aria-hidden": true };
  return (
    <div className={classes.rail} data-empty={total === 0 || undefined} style={{ height }} {...accessibility}>
      <div className={classes.bar} style={{ width }}>
        {parts.map(({ state, count }) => (
          <div
            key={state}
            className={classes.part}
            style={{ flexGrow: count, ...toneOf(state) }}
            title={`${stateInfo(state).label}: ${formatNumber(count)}`}
          />
        ))}
      </div>
    </div>
  );
}

export function StateNumbers({ counts }: { counts: readonly StateCount[] }) {
  return (
    <Group style={{ gap: "2px 10px" }}>
      {lifecycleOrder(counts).map(({ state, count }) => {
        const { label, icon: Icon } = stateInfo(state);
        return (
          <Group key={state} gap={4} wrap="nowrap">
            <Icon size={14} className={classes.icon} style={toneOf(state)} aria-hidden />
            <Text component="span" size="xs" c="dimmed">
              {formatNumber(count)} {label.toLowerCase()}
            </Text>
          </Group>
        );
      })}
    </Group>
  );
}
