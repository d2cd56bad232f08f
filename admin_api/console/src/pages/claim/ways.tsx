/** The ways to get a label in, under the thumb: the camera first, a photo and the keyboard beside it. */
import { Button, FileButton, Group, Stack, Text } from "@mantine/core";
import { IconCamera, IconKeyboard, IconPhoto } from "@tabler/icons-react";
import { useRef } from "react";
import type { Flow, FlowEvent } from "./flow";
import { SaidLine } from "./said_line";

interface Props {
  flow: Flow;
  /** Not the first look at the page: the focus belongs on what comes next. */
  begun: boolean;
  /** What the camera scans for, said where the target itself is not shown. */
  goal: string | null;
  happen: (event: FlowEvent) => void;
  onPhoto: (file: File | null) => void;
}

export function Ways({ flow, begun, goal, happen, onPhoto }: Props) {
  const after = flow.at === "idle" && flow.said?.is === "claimed";
  const reset = useRef<() => void>(null);
  const pick = (file: File | null) => {
    reset.current?.(); // the same photo may be tried again
    onPhoto(file);
  };
  return (
    <Stack gap="xs">
      <SaidLine flow={flow} />
      {flow.at === "camera" && goal && (
        <Text size="sm" fw={600} ta="center" hiddenFrom="sm">
          {goal}
        </Text>
      )}
      {flow.at !== "camera" && (
        <Button
          size="xl"
          fullWidth
          autoFocus={begun}
          leftSection={<IconCamera aria-hidden />}
          loading={flow.at === "photo"}
          onClick={() => happen({ is: "scan" })}
        >
          {after ? "Scan the next one" : "Scan a label"}
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
              Photo
            </Button>
          )}
        </FileButton>
        <Button
          variant="default"
          size="md"
          px="xs"
          fz="sm"
          leftSection={<IconKeyboard size={20} aria-hidden />}
          onClick={() => happen({ is: "type" })}
        >
          Type the code
        </Button>
      </Group>
    </Stack>
  );
}
