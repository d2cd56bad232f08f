/** The target of a claim, shown above the button that sends it. */
import { Text } from "@mantine/core";
import { ForeignText } from "../../parts/foreign_text";
import { keyOf } from "../../parts/target_names";
import type { Choice } from "./use_choice";

export function Destination({ choice: { target, profile } }: { choice: Choice }) {
  if (!target) return <Text size="sm">Choose a target first.</Text>;
  return (
    <>
      <Text size="sm">
        For{" "}
        <b>
          <ForeignText>{target.name}</ForeignText>
        </b>
        {profile !== null && `, profile ${profile}`}
      </Text>
      <Text size="xs" c="dimmed" ff="monospace">
        {keyOf(target)}
      </Text>
    </>
  );
}
