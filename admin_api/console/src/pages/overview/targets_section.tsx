/** Devices by target, most first, with a bar per target divided by state. */
import { Button, Stack, Text, VisuallyHidden } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import { formatNumber } from "../../parts/numbers";
import { StateBar, StateNumbers } from "../../parts/state_bar";
import { keyOf, TargetLabel, useTargets } from "../../parts/targets";
import { useMe } from "../../sign_in/me";
import { devicesAddress } from "../addresses";
import type { Counts } from "./operations";
import classes from "./overview.module.css";
import { Section } from "./section";

type TargetCount = Counts["targets"][number];
const FIRST = 8;

export function TargetsSection({ targets }: { targets: readonly TargetCount[] }) {
  const own = useMe().role === "technician";
  const [all, setAll] = useState(false);
  const shown = all ? targets : targets.slice(0, FIRST);
  const full = Math.max(...targets.map(({ count }) => count));
  return (
    <Section title={own ? "Your targets" : "By target"}>
      {targets.length === 0 ? (
        <Text size="sm" c="dimmed">
          No devices are claimed for {own ? "your targets" : "a target"} yet.
        </Text>
      ) : (
        <table className={classes.table}>
          <VisuallyHidden component="caption">Devices by target</VisuallyHidden>
          <VisuallyHidden component="thead">
            <tr>
              <th scope="col">Target</th>
              <th scope="col">Devices</th>
            </tr>
          </VisuallyHidden>
          <Lines targets={shown} full={full} />
        </table>
      )}
      {targets.length > FIRST && (
        <Button variant="subtle" fullWidth onClick={() => setAll(!all)}>
          {all ? `Show the first ${FIRST}` : `Show all ${formatNumber(targets.length)}`}
        </Button>
      )}
    </Section>
  );
}

function Lines({ targets, full }: { targets: readonly TargetCount[]; full: number }) {
  const { targets: known } = useTargets();
  return (
    <tbody>
      {targets.map((target) => (
        <tr key={keyOf(target)} className={classes.line}>
          <th scope="row">
            <Link href={devicesAddress({ target })} className={classes.link}>
              <TargetLabel target={target} known={known} />
            </Link>
            <Stack gap={4} mt={4}>
              <StateBar counts={target.states} full={full} />
              <StateNumbers counts={target.states} />
            </Stack>
          </th>
          <td className={classes.number}>
            <Text size="sm" fw={600}>
              {formatNumber(target.count)}
            </Text>
          </td>
        </tr>
      ))}
    </tbody>
  );
}
