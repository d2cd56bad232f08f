/** Where a device will go, said right above the button that sends it there. */
import { Text } from "@mantine/core";
import { keyOf } from "../../parts/target_names";
import type { Choice } from "./use_choice";

export function Goal({ choice: { target, profile } }: { choice: Choice }) {
  if (!target) return <Text size="sm">Pick a target above first.</Text>;
  return (
    <>
      <Text size="sm">
        For <b>{target.name}</b>
        {profile !== null && `, profile ${profile}`}
      </Text>
      <Text size="xs" c="dimmed" ff="monospace">
        {keyOf(target)}
      </Text>
    </>
  );
}
