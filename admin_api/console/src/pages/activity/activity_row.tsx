/** One entry of the activity log: the action, its device or user, target, actor and time. */
import { Anchor, Paper, Stack, Text } from "@mantine/core";
import { Link } from "wouter";
import { shortForm } from "../../label/short_form";
import { exact } from "../../parts/durations";
import { ForeignText } from "../../parts/foreign_text";
import { deviceAddress } from "../addresses";
import { actorText, eventText, isCode, transitionText } from "../device/history_text";
import classes from "./activity.module.css";
import type { Activity } from "./operations";

interface Props {
  activity: Activity;
  /** Returns the display name of a target. */
  nameOf: (key: string) => string;
}

export function ActivityRow({ activity, nameOf }: Props) {
  const { certid, devicename, user, target, left, enrolment, reason, actor, at } = activity;
  const what = eventText(activity);
  const subject = certid === null ? `User ${user ?? ""}` : (devicename ?? shortForm(certid));
  const transition = certid !== null && transitionText(activity);
  return (
    <Paper component="li" withBorder p="sm" aria-label={`${what}: ${subject}`}>
      <div className={classes.row}>
        <Stack gap={4}>
          <Text fw={600} component="h2" size="md">
            {what}
          </Text>
          {certid === null ? (
            <Text size="sm">
              <ForeignText>{subject}</ForeignText>
            </Text>
          ) : (
            <Anchor component={Link} href={deviceAddress(certid)} size="sm" className="reach">
              <ForeignText>{subject}</ForeignText>
            </Anchor>
          )}
        </Stack>
        <Stack gap={4}>
          {transition && <Text size="sm">{transition}</Text>}
          {target && <Text size="sm">Target: {nameOf(target)}</Text>}
          {left && <Text size="sm">Left: {nameOf(left)}</Text>}
          {enrolment && <Text size="sm">Enrolment: {enrolment}</Text>}
          {reason && (
            <Text size="sm" ff={isCode(reason) ? "monospace" : undefined}>
              <ForeignText>{reason}</ForeignText>
            </Text>
          )}
        </Stack>
        <Stack gap={4}>
          <Text size="sm">
            <ForeignText>{actorText(actor)}</ForeignText>
          </Text>
          <Text size="sm" c="dimmed">
            <time dateTime={at}>{exact(at)}</time>
          </Text>
        </Stack>
      </div>
    </Paper>
  );
}
