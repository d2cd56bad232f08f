/** What was just seen or done, in one line that is read out; and why there is no camera, with the ways that are left. */
import { Alert, Text } from "@mantine/core";
import { IconCameraOff } from "@tabler/icons-react";
import { shortForm } from "../../label/short_form";
import style from "./claim.module.css";
import type { Flow, Said } from "./flow";
import { CAMERA_WORDS } from "./scanner/camera";

export function SaidLine({ flow }: { flow: Flow }) {
  if (flow.at === "idle" && flow.fault) {
    const { title, advice } = CAMERA_WORDS[flow.fault];
    return (
      <Alert role="alert" color="yellow" p="sm" icon={<IconCameraOff aria-hidden />} title={title}>
        {advice} Or take a photo, or type the code.
      </Alert>
    );
  }
  const said = flow.at === "idle" || flow.at === "camera" ? flow.said : null;
  // Where the list shows it, it is only read out.
  const shownElsewhere = flow.at === "idle" && said?.is === "claimed";
  return (
    <Text
      role="status"
      size="sm"
      ta="center"
      c={said && isWrong(said) ? "var(--mantine-color-error)" : undefined}
      className={shownElsewhere ? style.unseen : style.said}
    >
      {flow.at === "photo" && "Looking for labels in the photo…"}
      {flow.at === "camera" && !said && "Point the camera at the label's code."}
      {said && wordsOf(said)}
    </Text>
  );
}

function isWrong({ is }: Said): boolean {
  return is === "stranger" || is === "failed" || is === "nothing found";
}

function wordsOf(said: Said): string {
  switch (said.is) {
    case "stranger":
      return `This is not a device label. It says ${said.text}.`;
    case "again":
      return `${shortForm(said.certid)} was claimed in this session already.`;
    case "claimed":
      return said.certids.length === 1
        ? `${shortForm(said.certids[0] ?? "")} is noted.`
        : `${said.certids.length} devices are noted.`;
    case "nothing found":
      return "No code was found in the photo. Come closer, hold still, the whole code in the picture.";
    case "failed":
      return said.words;
  }
}
