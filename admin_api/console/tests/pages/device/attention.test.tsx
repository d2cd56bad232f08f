import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Attention } from "../../../src/pages/device/attention";
import { deviceRecord } from "./device_fixtures";

type Device = Parameters<typeof Attention>[0]["device"];

test.each([
  ["inlobby", "ALLOCATION_FAILED", "No target could be chosen, or its claim was refused"],
  ["inlobby", "PRESENCE_FAILED", "Its claim ended after five wrong codes"],
  [
    "inlobby",
    "TARGET_LIMIT",
    "A previous target could not be cleared: a quota of the target account is exhausted",
  ],
  ["arrived", "SHADOWS_NOT_MIGRATED", "It was moved without its shadows, which are in its old target"],
  [
    "arrived",
    "TARGET_LIMIT",
    "A previous target could not be cleared: a quota of the target account is exhausted",
  ],
  ["failed", "TARGET_LIMIT", "A quota of the target account is exhausted"],
])("a device in state %s with %s has the title of its problem", (devstate, reason, title) => {
  const device = deviceRecord({ devstate, reason, message: "details" }) as unknown as Device;
  render(
    <MantineProvider env="test">
      <Attention device={device} target={null} action={null} onConfirmed={() => {}} />
    </MantineProvider>,
  );
  expect(screen.getByText(title)).toBeTruthy();
});
