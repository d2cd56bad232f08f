/** The effect of an action, shown in its dialog below the device's name. */
import { Text } from "@mantine/core";

/** `text` undefined: the action is no longer possible. */
export function Consequence({ name, text }: { name: string; text: string | undefined }) {
  return (
    <>
      <Text size="sm" fw={600}>
        {name}
      </Text>
      {text ?? "The device has changed. This is no longer possible."}
    </>
  );
}
