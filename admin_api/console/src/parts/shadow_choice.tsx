/** The choice of what a move does with the shadows of a device. */
import { Input, SegmentedControl } from "@mantine/core";

export type ShadowChoice = "LEAVE" | "MIGRATE" | "RESET";

const TEXTS: Readonly<Record<ShadowChoice, { label: string; effect: string }>> = {
  LEAVE: { label: "Leave", effect: "Shadows stay in the old target." },
  MIGRATE: {
    label: "Migrate",
    effect: "All shadows are copied to the new target before the device connects there.",
  },
  RESET: {
    label: "Reset",
    effect: "Shadows that the device already has in the new target are deleted.",
  },
};

interface Props {
  value: ShadowChoice;
  onChange: (choice: ShadowChoice) => void;
}

export function ShadowPicker({ value, onChange }: Props) {
  return (
    <Input.Wrapper label="Shadows" description={TEXTS[value].effect} labelElement="div">
      <SegmentedControl
        fullWidth
        mt={4}
        aria-label="Shadows"
        value={value}
        onChange={(chosen) => onChange(chosen as ShadowChoice)}
        data={Object.entries(TEXTS).map(([choice, { label }]) => ({ value: choice, label }))}
      />
    </Input.Wrapper>
  );
}

/** The variable to send. The default is not sent. */
export function shadowVariables(choice: ShadowChoice): { shadows?: ShadowChoice } {
  return choice === "LEAVE" ? {} : { shadows: choice };
}
