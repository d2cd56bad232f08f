/** A lobby without devices: what to do first, and what of it is done. */
import { Anchor, Group, Text } from "@mantine/core";
import { IconCircleCheck, IconDoorEnter } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { EmptyState } from "../../parts/empty_state";
import { counted } from "../../parts/numbers";
import { useTargets } from "../../parts/targets";
import { useMe } from "../../sign_in/me";
import classes from "./overview.module.css";

export function FirstSteps() {
  const me = useMe();
  const { targets } = useTargets();
  const registered = targets?.length ?? 0;
  return (
    <EmptyState icon={<IconDoorEnter />} title="No device has come yet">
      <Text size="sm" mb="md">
        Here you will see how many devices are where, who is stuck, and why.
      </Text>
      <ol className={classes.steps}>
        <Step title="Add a target" done={registered > 0 && `${counted(registered, "target")} added`}>
          The AWS account and Region where devices shall serve.{" "}
          <Way to="/targets">{me.may("registerTarget") ? "Add one" : "See the targets"}</Way>
        </Step>
        <Step title="Power on a device">
          Its CA has to be registered here. It knocks, is let in, and shows up under{" "}
          <Way to="/waiting">Waiting</Way>.
        </Step>
        <Step title="Claim it">
          By its label, before or after it has knocked.{" "}
          {me.may("claimDevice") ? (
            <Way to="/claim">Scan a label</Way>
          ) : (
            "A technician or operator does that."
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
