/** The notices of a device: why it is stuck, or what it waits for. */
import { Alert, Code, Group, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconInfoCircle, IconKey } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { PresenceCode } from "../../parts/presence_code";
import { CLONE_SUSPECTED, CODE_NOT_SHOWN } from "../../parts/reason_codes";
import { reasonText } from "../../parts/reasons";
import { Ago } from "../../parts/time";
import { consequenceOf } from "./consequences";
import type { DeviceRecord } from "./device_query";

/** Whether a user has to find out whether its certificate is in use twice. */
export function isSuspected({ suspicion }: Pick<DeviceRecord, "suspicion">): boolean {
  return suspicion?.dismissedAt === null;
}

interface Props {
  device: DeviceRecord;
  /** The display name of its target. */
  target: string | null;
  /** The button of the action that most likely helps, if the user may take it. */
  action: ReactNode;
  onConfirmed: () => void;
}

export function Attention({ device, target, action, onConfirmed }: Props) {
  if (device.devstate === "proving" && !isCodeNotShown(device))
    return <Proving device={device} target={target} onConfirmed={onConfirmed} />;
  if (device.devstate === "proving") return <Stuck device={device} reason={CODE_NOT_SHOWN} action={action} />;
  const suspected = isSuspected(device);
  const reason = suspected && device.reason === CLONE_SUSPECTED ? null : device.reason;
  if (suspected || reason)
    return (
      <>
        {suspected && <Stuck device={device} reason={CLONE_SUSPECTED} action={action} />}
        {reason && <Stuck device={device} reason={reason} action={suspected ? null : action} />}
      </>
    );
  if (device.devstate === "expected") return <Expected />;
  return null;
}

const COLORS: Readonly<Record<string, string>> = {
  failed: "red",
  refused: "orange",
  revoked: "gray",
  quarantined: "pink",
  proving: "red",
};
const ALERTS: ReadonlySet<string> = new Set(["failed", "refused", "proving", "quarantined"]);

/** The claim waits for a code that the device's client cannot show, so it does not proceed by itself. */
function isCodeNotShown({ reason, showsCode }: DeviceRecord): boolean {
  return reason === CODE_NOT_SHOWN || showsCode === false;
}

function Stuck({ device, reason, action }: { device: DeviceRecord; reason: string; action: ReactNode }) {
  const { meaning, remedy } = reasonText(reason);
  const state = device.devstate ?? "";
  const suspicion = isSuspected(device) && reason === CLONE_SUSPECTED ? device.suspicion : null;
  const concernsPrevious = !(state in COLORS) && reason.startsWith("TARGET_");
  return (
    <Alert
      role={ALERTS.has(state) ? "alert" : "status"}
      color={COLORS[state] ?? "yellow"}
      icon={<IconAlertTriangle aria-hidden />}
      title={concernsPrevious ? `A previous target could not be cleared: ${lower(meaning)}` : meaning}
    >
      <Stack gap="xs">
        {(suspicion ?? device).message && <Text size="sm">{(suspicion ?? device).message}</Text>}
        {suspicion && (
          <Text size="xs">
            Found <Ago at={suspicion.at} />
          </Text>
        )}
        <Text size="sm" fw={500}>
          {remedy}
        </Text>
        <Group justify="space-between" gap="xs">
          <Code>{reason}</Code>
          {action}
        </Group>
      </Stack>
    </Alert>
  );
}

/** The form for the presence code, for targets that require proof of presence. */
function Proving({ device, target, onConfirmed }: Omit<Props, "action">) {
  const may = device.allowedActions.includes("confirmPresence");
  return (
    <Alert role="status" color="violet" icon={<IconKey aria-hidden />} title="Waiting for its presence code">
      <Stack gap="xs">
        <Text size="sm">
          {may
            ? consequenceOf("confirm", "proving", target)
            : "A user who may claim for its target can enter it."}
        </Text>
        <PresenceCode device={device} may={may} onAnswered={onConfirmed} />
      </Stack>
    </Alert>
  );
}

function Expected() {
  return (
    <Alert role="status" color="grape" icon={<IconInfoCircle aria-hidden />} title="Not seen yet">
      Power it on and connect it. When it connects to the lobby, it is set up and sent to its target
      automatically. If it does not appear, check that its CA is registered and that it connects to the
      lobby's endpoint.
    </Alert>
  );
}

function lower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
