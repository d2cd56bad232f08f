/** Asks where devices shall go: the target, the profile where there is a choice, and what they are told there. */
import { Input, SegmentedControl, Select, Stack, Textarea, TextInput } from "@mantine/core";
import { type TargetEntry, TargetPicker } from "./targets";
import { type ConfigKind, faultOf, lacksProfile, profilesOf, sentTo, unsaidProfile, type Wish } from "./wish";

interface Props {
  targets: readonly TargetEntry[];
  wish: Wish;
  onChange: (wish: Wish) => void;
  /** The profile that a move keeps where none is chosen; a claim, without one, takes the target's usual profile. */
  kept?: string;
}

export function RouteForm({ targets, wish, onChange, kept }: Props) {
  const profiles = profilesOf(wish, targets);
  const left = unsaidProfile(wish, targets, kept);
  const lacking = lacksProfile(wish, targets, kept);
  return (
    <Stack gap="sm">
      <TargetPicker
        targets={targets}
        value={wish.target}
        onChange={(key) => onChange(sentTo(wish, key, targets))}
        size="md"
      />
      {(profiles.length > 1 || lacking) && (
        <Select
          label="Profile"
          description="Which of the target's device policies they get"
          size="md"
          data={[...profiles]}
          value={wish.profile ?? (lacking ? null : (left ?? null))}
          onChange={(chosen) => onChange({ ...wish, profile: chosen })}
          allowDeselect={false}
          error={lacking ? `got ${left}, want one that the target has` : undefined}
        />
      )}
      <ConfigField wish={wish} onChange={onChange} usual={kept === undefined ? "Default" : "As it is"} />
    </Stack>
  );
}

interface ConfigProps {
  wish: Wish;
  onChange: (wish: Wish) => void;
  usual: string;
}

function ConfigField({ wish, onChange, usual }: ConfigProps) {
  const typed = wish.kind === "json" ? wish.json : wish.text;
  const fault = typed === "" ? undefined : faultOf(wish);
  return (
    <Stack gap={6}>
      <Input.Wrapper label="Config" description="What the device is told with its route" labelElement="div">
        <SegmentedControl
          fullWidth
          mt={4}
          aria-label="Config"
          value={wish.kind}
          onChange={(kind) => onChange({ ...wish, kind: kind as ConfigKind })}
          data={[
            { value: "usual", label: usual },
            { value: "text", label: "Text" },
            { value: "json", label: "JSON" },
          ]}
        />
      </Input.Wrapper>
      {wish.kind === "text" && (
        <TextInput
          size="md"
          aria-label="Config as text"
          value={wish.text}
          error={fault}
          onChange={(event) => onChange({ ...wish, text: event.currentTarget.value })}
        />
      )}
      {wish.kind === "json" && (
        <Textarea
          size="md"
          aria-label="Config as JSON"
          placeholder={'{"interval": 60}'}
          autosize
          minRows={3}
          maxRows={12}
          spellCheck={false}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: "0.875rem" } }}
          value={wish.json}
          error={fault}
          onChange={(event) => onChange({ ...wish, json: event.currentTarget.value })}
        />
      )}
    </Stack>
  );
}
