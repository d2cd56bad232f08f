/** The form for a route: target, profile if there is a choice, and config. */
import { Input, SegmentedControl, Select, Stack, Textarea, TextInput } from "@mantine/core";
import {
  type ClaimRequest,
  type ConfigKind,
  configError,
  effectiveProfile,
  lacksProfile,
  profilesOf,
  withTarget,
} from "./claim_request";
import { type TargetEntry, TargetPicker } from "./targets";

interface Props {
  targets: readonly TargetEntry[];
  request: ClaimRequest;
  onChange: (request: ClaimRequest) => void;
  /**
   * The profile that a move keeps unless another is chosen; a claim has none and uses the target's default.
   */
  current?: string;
  /** The effect if no config is chosen. */
  unsetLabel?: string;
}

export function RouteForm({ targets, request, onChange, current, unsetLabel }: Props) {
  const profiles = profilesOf(request, targets);
  const effective = effectiveProfile(request, targets, current);
  const missing = lacksProfile(request, targets, current);
  return (
    <Stack gap="sm">
      <TargetPicker
        targets={targets}
        value={request.target}
        onChange={(key) => onChange(withTarget(request, key, targets))}
        size="md"
      />
      {(profiles.length > 1 || missing) && (
        <Select
          label="Profile"
          description="The device policy in the target"
          size="md"
          data={[...profiles]}
          value={request.profile ?? (missing ? null : (effective ?? null))}
          onChange={(chosen) => onChange({ ...request, profile: chosen })}
          allowDeselect={false}
          error={missing ? `The target does not have ${effective}. Choose another profile.` : undefined}
        />
      )}
      <ConfigField
        request={request}
        onChange={onChange}
        unsetLabel={unsetLabel ?? (current === undefined ? "Default" : "Unchanged")}
      />
    </Stack>
  );
}

interface ConfigProps {
  request: ClaimRequest;
  onChange: (request: ClaimRequest) => void;
  /** The choice that sends no config; null: it is not offered. */
  unsetLabel: string | null;
}

export function ConfigField({ request, onChange, unsetLabel }: ConfigProps) {
  const draft = request.kind === "json" ? request.json : request.text;
  const error = draft === "" ? undefined : configError(request);
  return (
    <Stack gap={6}>
      <Input.Wrapper label="Config" description="Sent to the device with its route" labelElement="div">
        <SegmentedControl
          fullWidth
          mt={4}
          aria-label="Config"
          value={request.kind}
          onChange={(kind) => onChange({ ...request, kind: kind as ConfigKind })}
          data={[
            ...(unsetLabel === null ? [] : [{ value: "unset", label: unsetLabel }]),
            { value: "text", label: "Text" },
            { value: "json", label: "JSON" },
          ]}
        />
      </Input.Wrapper>
      {request.kind === "text" && (
        <TextInput
          size="md"
          aria-label="Config as text"
          value={request.text}
          error={error}
          onChange={(event) => onChange({ ...request, text: event.currentTarget.value })}
        />
      )}
      {request.kind === "json" && (
        <Textarea
          size="md"
          aria-label="Config as JSON"
          placeholder={'{"interval": 60}'}
          autosize
          minRows={3}
          maxRows={12}
          spellCheck={false}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
          value={request.json}
          error={error}
          onChange={(event) => onChange({ ...request, json: event.currentTarget.value })}
        />
      )}
    </Stack>
  );
}
