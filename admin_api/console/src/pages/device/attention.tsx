/** What somebody has to know or do about this device now: why it is stuck, or what it waits for. */
import { Alert, Code, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconInfoCircle, IconKey } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { PresenceCode } from "../../parts/presence_code";
import { reasonWords } from "../../parts/reasons";
import { consequenceOf } from "./consequences";
import type { WholeDevice } from "./device_query";

interface Props {
  device: WholeDevice;
  /** What the person knows its target by. */
  target: string | null;
  /** The button, where it may be tried again. */
  retry: ReactNode;
  onConfirmed: () => void;
}

export function Attention({ device, target, retry, onConfirmed }: Props) {
  if (device.devstate === "proving")
    return <Proving device={device} target={target} onConfirmed={onConfirmed} />;
  if (device.reason) return <Stuck device={device} reason={device.reason} retry={retry} />;
  if (device.devstate === "expected") return <Expected />;
  return null;
}

const COLORS: Readonly<Record<string, string>> = { failed: "red", refused: "orange", revoked: "gray" };

function Stuck({ device, reason, retry }: { device: WholeDevice; reason: string; retry: ReactNode }) {
  const { meaning, mend } = reasonWords(reason);
  const state = device.devstate ?? "";
  const stuck = state in COLORS;
  return (
    <Alert
      role={state === "failed" || state === "refused" ? "alert" : "status"}
      color={COLORS[state] ?? "yellow"}
      icon={<IconAlertTriangle aria-hidden />}
      title={
        stuck || reason === "PRESENCE_FAILED"
          ? meaning
          : `A place that it has left could not be cleared: ${lower(meaning)}`
      }
    >
      <Stack gap="xs">
        {device.message && <Text size="sm">{device.message}</Text>}
        <Text size="sm" fw={500}>
          {mend}
        </Text>
        <Group justify="space-between" gap="xs">
          <Code>{reason}</Code>
          {retry}
        </Group>
      </Stack>
    </Alert>
  );
}

/** Where its target wants somebody to stand before it: what they type. */
function Proving({ device, target, onConfirmed }: Omit<Props, "retry">) {
  const may = device.allowedActions.includes("confirmPresence");
  return (
    <Alert
      role="status"
      color="violet"
      icon={<IconKey aria-hidden />}
      title="It waits for the code that it shows"
    >
      <Stack gap="xs">
        <Text size="sm">
          {may
            ? consequenceOf("confirm", "proving", target)
            : "Somebody who may claim for its target can type it."}
        </Text>
        <PresenceCode device={device} may={may} onTold={onConfirmed} />
      </Stack>
    </Alert>
  );
}

function Expected() {
  return (
    <Alert role="status" color="grape" icon={<IconInfoCircle aria-hidden />} title="Not seen yet">
      Nothing more has to be done here: power it on and connect it. As soon as it knocks at the lobby it is
      set up and sent on. If it does not appear, see that its CA is registered, and that it dials the lobby's
      endpoint.
    </Alert>
  );
}

function lower(words: string): string {
  return words.charAt(0).toLowerCase() + words.slice(1);
}
