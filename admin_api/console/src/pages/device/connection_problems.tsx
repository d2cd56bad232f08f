/** Refused connections of a device, and two devices with its identity. */
import { Alert, Code, Group, Stack, Text } from "@mantine/core";
import { IconPlugConnectedX } from "@tabler/icons-react";
import { Ago } from "../../parts/time";
import type { DeviceRecord } from "./device_query";

const TITLES: Readonly<Record<string, string>> = {
  CONNECT_DENIED: "AWS IoT refused its connections",
  DUPLICATE_CLIENTID: "Two devices seem to use this identity",
};

export function ConnectionProblems({ device }: { device: DeviceRecord }) {
  return (device.connectionProblems ?? []).map(({ code, message, place, lastAt }) => (
    <Alert
      key={code}
      role="alert"
      color="orange"
      icon={<IconPlugConnectedX aria-hidden />}
      title={TITLES[code] ?? "Its connections fail"}
    >
      <Stack gap="xs">
        <Text size="sm">{message}</Text>
        <Group justify="space-between" gap="xs">
          <Code>{code}</Code>
          <Text size="xs" c="dimmed">
            {place === "lobby" ? "In the lobby" : `In ${place}`}, last <Ago at={lastAt} />
          </Text>
        </Group>
      </Stack>
    </Alert>
  ));
}
