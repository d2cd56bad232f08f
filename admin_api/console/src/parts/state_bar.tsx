/**
 * Devices by state, drawn: a bar with a part for each state, in the order of a device's life. What it shows stands
 * beside it as text, too; `StateNumbers` is that text, with each state's icon and colour.
 */
import { Group, Text } from "@mantine/core";
import type { CSSProperties } from "react";
import { whole } from "./numbers";
import { STATES, wordsOf } from "./state_badge";
import classes from "./state_bar.module.css";

export interface StateCount {
  state: string;
  count: number;
}

const LIFE = Object.keys(STATES);

/** Those that there are, in the order of a device's life. */
export function inOrder(counts: readonly StateCount[]): StateCount[] {
  const place = ({ state }: StateCount) => (LIFE.includes(state) ? LIFE.indexOf(state) : LIFE.length);
  return counts.filter(({ count }) => count > 0).sort((one, other) => place(one) - place(other));
}

/** "3 failed, 1,200 arrived": a bar in words. */
export function inWords(counts: readonly StateCount[]): string {
  const words = inOrder(counts).map(
    ({ state, count }) => `${whole(count)} ${wordsOf(state).label.toLowerCase()}`,
  );
  return words.join(", ") || "no devices";
}

/** A state's colour, for what is drawn: dark enough on white, light enough on black. */
function toneOf(state: string): CSSProperties {
  const { color } = wordsOf(state);
  const [light, dark] = color === "gray" ? [6, 5] : [8, 5];
  return {
    "--tone-light": `var(--mantine-color-${color}-${light})`,
    "--tone-dark": `var(--mantine-color-${color}-${dark})`,
  } as CSSProperties;
}

interface BarProps {
  counts: readonly StateCount[];
  /** The count that fills the whole width; without it this bar does. */
  full?: number;
  height?: number;
  /** What stands beside it as text is not read out twice. */
  label?: string;
}

export function StateBar({ counts, full, height = 10, label }: BarProps) {
  const parts = inOrder(counts);
  const total = parts.reduce((sum, { count }) => sum + count, 0);
  const width = full ? `${Math.max((total / full) * 100, total > 0 ? 1.5 : 0)}%` : "100%";
  const spoken = label ? { role: "img", "aria-label": label } : { "aria-hidden": true };
  return (
    <div className={classes.rail} style={{ height }} {...spoken}>
      <div className={classes.bar} style={{ width }}>
        {parts.map(({ state, count }) => (
          <div
            key={state}
            className={classes.part}
            style={{ flexGrow: count, ...toneOf(state) }}
            title={`${wordsOf(state).label}: ${whole(count)}`}
          />
        ))}
      </div>
    </div>
  );
}

export function StateNumbers({ counts }: { counts: readonly StateCount[] }) {
  return (
    <Group style={{ gap: "2px 10px" }}>
      {inOrder(counts).map(({ state, count }) => {
        const { label, icon: Icon } = wordsOf(state);
        return (
          <Group key={state} gap={4} wrap="nowrap">
            <Icon size={14} className={classes.icon} style={toneOf(state)} aria-hidden />
            <Text component="span" size="xs" c="dimmed">
              {whole(count)} {label.toLowerCase()}
            </Text>
          </Group>
        );
      })}
    </Group>
  );
}
