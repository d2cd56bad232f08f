/**
 * One line about the last scan or action, announced by screen readers; or why there is no camera, with the
 * alternatives.
 */
import { Alert, Text } from "@mantine/core";
import { IconCameraOff } from "@tabler/icons-react";
import { shortForm } from "../../label/short_form";
import { pluralize } from "../../parts/numbers";
import style from "./claim.module.css";
import type { Flow, Message } from "./flow";
import { CAMERA_MESSAGES } from "./scanner/camera";

export function StatusLine({ flow }: { flow: Flow }) {
  if (flow.at === "idle" && flow.fault) {
    const { title, advice } = CAMERA_MESSAGES[flow.fault];
    return (
      <Alert role="alert" color="yellow" p="sm" icon={<IconCameraOff aria-hidden />} title={title}>
        {advice} You can also take a photo or type the code.
      </Alert>
    );
  }
  const message = flow.at === "idle" || flow.at === "camera" ? flow.message : null;
  // The list already shows it, so it is only announced to screen readers.
  const shownElsewhere = flow.at === "idle" && message?.is === "claimed";
  return (
    <Text
      role="status"
      size="sm"
      ta="center"
      c={message && isError(message) ? "var(--mantine-color-error)" : undefined}
      className={shownElsewhere ? style.unseen : style.message}
    >
      {flow.at === "photo" && "Scanning the photo…"}
      {flow.at === "camera" && !message && "Point the camera at the label's code."}
      {message && messageText(message)}
    </Text>
  );
}

function isError({ is }: Message): boolean {
  return is === "otherCode" || is === "failed" || is === "no code";
}

function messageText(message: Message): string {
  switch (message.is) {
    case "otherCode":
      if (message.serial === undefined) return `This is not a device label. It contains ${message.text}.`;
      return `This is not a device label. It contains ${message.text}, which can be a serial number.`;
    case "already claimed":
      return `${shortForm(message.certid)} was already claimed in this session.`;
    case "claimed":
      return message.certids.length === 1
        ? `Claimed ${shortForm(message.certids[0] ?? "")}.`
        : `Claimed ${pluralize(message.certids.length, "device")}.`;
    case "no code":
      return "No code found in the photo. Move closer, hold still, and keep the whole code in the picture.";
    case "failed":
      return message.text;
  }
}
