/** One stuck device: which, where it shall go, for how long it has been stuck; and another try, where that is allowed. */
import { Button, Group, Stack, Text } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useMutation } from "urql";
import { Link } from "wouter";
import { type Failure, failureOf } from "../../api/failures";
import { shortForm } from "../../label/short_form";
import { duration, exact } from "../../parts/moments";
import { StateBadge } from "../../parts/state_badge";
import { useMe } from "../../sign_in/me";
import { deviceAddress } from "../addresses";
import { RETRY_STUCK, type StuckDevice } from "./operations";
import classes from "./overview.module.css";

/** What became of another try for `who`. */
export interface Tried {
  who: string;
  refused: Failure | undefined;
}

interface Props {
  device: StuckDevice;
  at: Date;
  onTried: (tried: Tried) => void;
}

export function StuckLine({ device, at, onTried }: Props) {
  const { certid, devicename, devstate, enteredAt, targetaccount, targetregion, reason } = device;
  const who = devicename ?? shortForm(certid);
  return (
    <li className={classes.stuckLine}>
      <Stack gap={2} miw={0}>
        <Group gap="xs">
          <Link href={deviceAddress(certid)} className={classes.link}>
            <Text component="span" size="sm" fw={600} ff={devicename ? undefined : "monospace"}>
              {who}
            </Text>
          </Link>
          <StateBadge state={devstate ?? ""} size="sm" />
          <Text component="time" size="xs" dateTime={enteredAt} title={exact(enteredAt)}>
            for {duration(at.getTime() - new Date(enteredAt).getTime())}
          </Text>
        </Group>
        <Text size="xs" c="dimmed" ff="monospace">
          {[targetaccount && `${targetaccount}/${targetregion}`, reason].filter(Boolean).join(" · ")}
        </Text>
      </Stack>
      <Retry device={device} who={who} onTried={onTried} />
    </li>
  );
}

function Retry({ device, who, onTried }: { device: StuckDevice; who: string; onTried: Props["onTried"] }) {
  const me = useMe();
  const [{ fetching }, retry] = useMutation(RETRY_STUCK);
  if (!me.may("retryDevice") || !device.allowedActions.includes("retryDevice")) return null;
  const again = async () => {
    const { error } = await retry({ certid: device.certid });
    onTried({ who, refused: error && failureOf(error) });
  };
  return (
    <Button
      size="xs"
      variant="default"
      className={classes.above}
      leftSection={<IconRefresh size={14} aria-hidden />}
      loading={fetching}
      onClick={again}
      aria-label={`Retry ${who}`}
    >
      Retry
    </Button>
  );
}
