/** Failed, refused, quarantined and suspected devices by reason, most frequent first: meaning, remedy and a link to the devices. */
import { Box, Group, Text, VisuallyHidden } from "@mantine/core";
import { IconCircleCheck } from "@tabler/icons-react";
import { Link } from "wouter";
import { formatNumber } from "../../parts/numbers";
import { reasonText } from "../../parts/reasons";
import { StateBadge } from "../../parts/state_badge";
import { StateBar } from "../../parts/state_bar";
import { devicesAddress } from "../addresses";
import type { Counts } from "./operations";
import classes from "./overview.module.css";
import { Section } from "./section";

type ReasonCount = Counts["reasons"][number];

export function FailuresSection({ reasons }: { reasons: readonly ReasonCount[] }) {
  const full = Math.max(...reasons.map(({ count }) => count));
  return (
    <Section title="Failures by reason">
      {reasons.length === 0 ? (
        <Group gap="xs">
          <IconCircleCheck size={20} color="var(--mantine-color-green-light-color)" aria-hidden />
          <Text size="sm">No failed, refused or suspected devices.</Text>
        </Group>
      ) : (
        <table className={classes.table}>
          <VisuallyHidden component="caption">
            Failed, refused, quarantined and suspected devices by reason
          </VisuallyHidden>
          <VisuallyHidden component="thead">
            <tr>
              <th scope="col">Reason</th>
              <th scope="col">Devices</th>
            </tr>
          </VisuallyHidden>
          <tbody>
            {reasons.map((each) => (
              <ReasonLine key={`${each.state}/${each.reason}`} {...each} full={full} />
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
}

function ReasonLine({ state, reason, count, full }: ReasonCount & { full: number }) {
  const { meaning, remedy } = reasonText(reason);
  return (
    <tr className={classes.line}>
      <th scope="row">
        <Link href={devicesAddress({ state, reason })} className={classes.link}>
          <Text component="span" size="sm" fw={600}>
            {meaning}
          </Text>
        </Link>
        <Box my={4}>
          <StateBar counts={[{ state, count }]} full={full} height={8} />
        </Box>
        <Group gap="xs">
          <StateBadge state={state} reason={reason} size="sm" />
          <Text component="span" size="xs" ff="monospace">
            {reason}
          </Text>
        </Group>
        <Text size="xs" c="dimmed" mt={2}>
          {remedy}
        </Text>
      </th>
      <td className={classes.number}>
        <Text size="sm" fw={600}>
          {formatNumber(count)}
        </Text>
      </td>
    </tr>
  );
}
