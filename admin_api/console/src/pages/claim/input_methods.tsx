/** The ways to enter a label: the camera first, then a photo and the keyboard. Offers to claim a serial number. */
import { Button, FileButton, Group, Stack, Text } from "@mantine/core";
import { IconCamera, IconHash, IconKeyboard, IconPhoto } from "@tabler/icons-react";
import { useRef } from "react";
import type { Flow, FlowEvent } from "./flow";
import { StatusLine } from "./status_line";

interface Props {
  flow: Flow;
  /** Not the first view of the page: move the focus to the next action. */
  begun: boolean;
  /** The target, shown where the target selection is hidden. */
  destination: string | null;
  dispatch: (event: FlowEvent) => void;
  onPhoto: (file: File | null) => void;
  /** Claim the serial number that was scanned; undefined if the user may not. */
  onSerial?: ((serial: string) => void) | undefined;
}

export function InputMethods({ flow, begun, destination, dispatch, onPhoto, onSerial }: Props) {
  const after = flow.at === "idle" && flow.message?.is === "claimed";
  const message = flow.at === "idle" || flow.at === "camera" ? flow.message : null;
  const serial = message?.is === "otherCode" ? message.serial : undefined;
  const reset = useRef<() => void>(null);
  const pick = (file: File | null) => {
    reset.current?.(); // allow the same photo again
    onPhoto(file);
  };
  return (
    <Stack gap="xs">
      <StatusLine flow={flow} />
      {serial !== undefined && onSerial && (
        <Button size="lg" leftSection={<IconHash aria-hidden />} onClick={() => onSerial(serial)}>
          Claim serial number
        </Button>
      )}
      {flow.at === "camera" && destination && (
        <Text size="sm" fw={600} ta="center" hiddenFrom="sm">
          {destination}
        </Text>
      )}
      {flow.at !== "camera" && (
        <Button
          size="xl"
          fullWidth
          autoFocus={begun}
          leftSection={<IconCamera aria-hidden />}
          loading={flow.at === "photo"}
          onClick={() => dispatch({ is: "scan" })}
        >
          {after ? "Scan next label" : "Scan label"}
        </Button>
      )}
      <Group grow gap="xs">
        <FileButton
          accept="image/*"
          capture="environment"
          onChange={pick}
          resetRef={reset}
          inputProps={{ "aria-label": "Photo of a label" }}
        >
          {(props) => (
            <Button
              {...props}
              variant="default"
              size="md"
              px="xs"
              fz="sm"
              leftSection={<IconPhoto size={20} aria-hidden />}
            >
              Take photo
            </Button>
          )}
        </FileButton>
        <Button
          variant="default"
          size="md"
          px="xs"
          fz="sm"
          leftSection={<IconKeyboard size={20} aria-hidden />}
          onClick={() => dispatch({ is: "type" })}
        >
          Type code
        </Button>
      </Group>
    </Stack>
  );
}
