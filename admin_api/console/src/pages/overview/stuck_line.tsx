/** One stuck device: name, target, duration, and Retry if allowed. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useMutation } from "urql";
import { Link } from "wouter";
import { type Failure, failureOf } from "../../api/failures";
import { shortForm } from "../../label/short_form";
import { StateBadge } from "../../parts/state_badge";
import { duration, exact } from "../../parts/time";
import { useMe } from "../../sign_in/me";
import { deviceAddress } from "../addresses";
import { RETRY_STUCK, type StuckDevice } from "./operations";
import classes from "./overview.module.css";

/** The result of a retry of `name`. */
export interface RetryOutcome {
  name: string;
  failure: Failure | undefined;
}

interface Props {
  device: StuckDevice;
  at: Date;
  onRetried: (tried: RetryOutcome) => void;
}

export function StuckLine({ device, at, onRetried }: Props) {
  const { certid, devicename, devstate, enteredAt, targetaccount, targetregion, reason, waitsFor } = device;
  const name = devicename ?? shortForm(certid);
  return (
    <li className={classes.stuckLine}>
      <Stack gap={2} flex="1 1 12rem" miw={0}>
        <Link href={deviceAddress(certid)} className={classes.link}>
          <Text component="span" size="sm" fw={600} ff={devicename ? undefined : "monospace"}>
            {name}
          </Text>
        </Link>
        <Group gap="xs">
          <StateBadge state={devstate ?? ""} reason={reason} size="sm" />
          <Text component="time" size="xs" dateTime={enteredAt} title={exact(enteredAt)}>
            for {duration(at.getTime() - new Date(enteredAt).getTime())}
          </Text>
        </Group>
        <Text size="xs" c="dimmed" ff="monospace">
          {[targetaccount && `${targetaccount}/${targetregion}`, reason].filter(Boolean).join(" · ")}
        </Text>
        {waitsFor && (
          <Text size="xs" c="dimmed">
            Waits for: {waitsFor}
          </Text>
        )}
      </Stack>
      <Retry device={device} name={name} onRetried={onRetried} />
    </li>
  );
}

function Retry({
  device,
  name,
  onRetried,
}: {
  device: StuckDevice;
  name: string;
  onRetried: Props["onRetried"];
}) {
  const me = useMe();
  const [{ fetching }, retry] = useMutation(RETRY_STUCK);
  // A retry gives a device that proves presence another code, which does not help.
  if (device.devstate === "proving") return null;
  if (!me.may("retryDevice") || !device.allowedActions.includes("retryDevice")) return null;
  const again = async () => {
    const { error } = await retry({ certid: device.certid });
    onRetried({ name, failure: error && failureOf(error) });
  };
  return (
    <Button
      size="xs"
      variant="default"
      className={classes.above}
      leftSection={<IconRefresh size={14} aria-hidden />}
      loading={fetching}
      onClick={again}
      aria-label={`Retry ${name}`}
    >
      Retry
    </Button>
  );
}
