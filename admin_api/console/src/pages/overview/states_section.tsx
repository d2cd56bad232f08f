/** Devices by state: one bar for all, and a row per state that links to its devices. */
import { Box, Text, VisuallyHidden } from "@mantine/core";
import { Link } from "wouter";
import { formatNumber, percentage, pluralize } from "../../parts/numbers";
import { StateBadge, stateInfo } from "../../parts/state_badge";
import { describeCounts, StateBar } from "../../parts/state_bar";
import { devicesAddress } from "../addresses";
import type { Counts } from "./operations";
import classes from "./overview.module.css";
import { Section } from "./section";

export function StatesSection({ counts }: { counts: Counts }) {
  const { total, states } = counts;
  return (
    <Section title="By state" aside={<Text fw={650}>{pluralize(total, "device")}</Text>}>
      <Box mb="sm">
        <StateBar counts={states} height={22} label={`All devices: ${describeCounts(states)}`} />
      </Box>
      <table className={`${classes.table} ${classes.states}`}>
        <VisuallyHidden component="caption">Devices by state</VisuallyHidden>
        <colgroup>
          <col className={classes.stateColumn} />
          <col />
          <col className={classes.numberColumn} />
        </colgroup>
        <VisuallyHidden component="thead">
          <tr>
            <th scope="col">State</th>
            <th scope="col">Share</th>
            <th scope="col">Devices</th>
          </tr>
        </VisuallyHidden>
        <tbody>
          {states.map((each) => (
            <StateLine key={each.state} {...each} total={total} />
          ))}
        </tbody>
      </table>
    </Section>
  );
}

function StateLine({ state, count, total }: { state: string; count: number; total: number }) {
  return (
    <tr className={classes.line}>
      <th scope="row">
        <Link href={devicesAddress({ state })} className={classes.link}>
          <StateBadge state={state} />
        </Link>
        <Text size="xs" c="dimmed" mt={2}>
          {stateInfo(state).meaning}
        </Text>
      </th>
      <td>
        <StateBar counts={[{ state, count }]} full={total} label={percentage(count, total)} />
      </td>
      <td className={classes.number}>
        <Text size="sm" fw={count > 0 ? 600 : undefined} c={count > 0 ? undefined : "dimmed"}>
          {formatNumber(count)}
        </Text>
      </td>
    </tr>
  );
}
