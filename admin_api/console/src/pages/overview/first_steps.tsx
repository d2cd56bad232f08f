/** The first steps in a lobby without devices, and which of them are done. */
import { Anchor, Group, Text } from "@mantine/core";
import { IconCircleCheck, IconDoorEnter } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { EmptyState } from "../../parts/empty_state";
import { pluralize } from "../../parts/numbers";
import { useTargets } from "../../parts/targets";
import { useMe } from "../../sign_in/me";
import classes from "./overview.module.css";

export function FirstSteps() {
  const me = useMe();
  const { targets } = useTargets();
  const registered = targets?.length ?? 0;
  return (
    <EmptyState icon={<IconDoorEnter />} title="No devices yet">
      <Text size="sm" mb="md">
        This page will show where your devices are, which are stuck, and why.
      </Text>
      <ol className={classes.steps}>
        <Step title="Add target" done={registered > 0 && `${pluralize(registered, "target")} added`}>
          The AWS account and Region that devices are sent to.{" "}
          <Way to="/targets">{me.may("registerTarget") ? "Add target" : "View targets"}</Way>
        </Step>
        <Step title="Power on a device">
          Its CA must be registered in the lobby. The device then appears under{" "}
          <Way to="/waiting">Waiting</Way>.
        </Step>
        <Step title="Claim it">
          Use its label, before or after it connects.{" "}
          {me.may("claimDevice") ? (
            <Way to="/claim">Scan label</Way>
          ) : (
            "A technician or operator can do this."
          )}
        </Step>
      </ol>
    </EmptyState>
  );
}

function Step({ title, done, children }: { title: string; done?: string | false; children: ReactNode }) {
  return (
    <li>
      <Text fw={600} size="sm" c="var(--mantine-color-text)">
        {title}
      </Text>
      {done && (
        <Group gap={4}>
          <IconCircleCheck size={16} color="var(--mantine-color-green-light-color)" aria-hidden />
          <Text size="sm">{done}</Text>
        </Group>
      )}
      <Text size="sm">{children}</Text>
    </li>
  );
}

function Way({ to, children }: { to: string; children: ReactNode }) {
  return (
    <Anchor component={Link} href={to} size="sm" underline="always">
      {children}
    </Anchor>
  );
}
