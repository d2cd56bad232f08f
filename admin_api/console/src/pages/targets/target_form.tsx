/** The form for a new target or for a changed name or profiles, checked while typing. */
import {
  Autocomplete,
  Button,
  Code,
  Group,
  NativeSelect,
  Stack,
  Switch,
  TagsInput,
  Text,
  TextInput,
} from "@mantine/core";
import type { FormEvent } from "react";
import { FailureNotice } from "../../parts/failure_notice";
import { keyOf } from "../../parts/targets";
import type { Listed } from "./operations";
import { IOT_REGIONS, suggests } from "./regions";
import { bareAccount, type ClonePolicy } from "./rules";
import { useTargetDraft } from "./use_target_draft";

const CLONE_POLICIES: { value: ClonePolicy; label: string }[] = [
  { value: "LOBBY", label: "As the lobby's setting" },
  { value: "FLAG", label: "Mark the device as suspected" },
  { value: "QUARANTINE", label: "Put the device in quarantine" },
];

interface Props {
  /** The target to change; undefined: register a new one. */
  of?: Listed | undefined;
  known: readonly Listed[];
  onDone: (target: Listed, before: Listed | undefined) => void;
  onCancel: () => void;
}

export function TargetForm({ of, known, onDone, onCancel }: Props) {
  const { draft, change, leave, shown, failure, busy, send } = useTargetDraft(of, known, onDone);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        {of ? (
          <Text size="sm" c="dimmed" ff="monospace">
            {keyOf(of)}
          </Text>
        ) : (
          <>
            <TextInput
              label="AWS account"
              description="12 digits"
              size="md"
              inputMode="numeric"
              autoComplete="off"
              data-autofocus
              value={draft.account}
              onChange={(event) => change({ account: bareAccount(event.currentTarget.value) })}
              onBlur={() => leave("account")}
              error={shown.account}
            />
            <Autocomplete
              label="Region"
              description="The Region that its devices connect to"
              placeholder="eu-west-1"
              size="md"
              comboboxProps={{ keepMounted: false }}
              data={Object.keys(IOT_REGIONS)}
              filter={({ options, search }) =>
                options.filter((option) => "value" in option && suggests(String(option.value), search))
              }
              renderOption={({ option }) => (
                <Group justify="space-between" w="100%">
                  <span>{option.value}</span>
                  <Text component="span" size="sm" c="dimmed">
                    {IOT_REGIONS[option.value]}
                  </Text>
                </Group>
              )}
              value={draft.region}
              onChange={(region) => change({ region: region.trim().toLowerCase() })}
              onBlur={() => leave("region")}
              error={shown.region}
            />
          </>
        )}
        <TextInput
          label="Name"
          description="For example, Plant Porto"
          size="md"
          {...(of ? { "data-autofocus": true } : {})}
          value={draft.name}
          onChange={(event) => change({ name: event.currentTarget.value })}
          onBlur={() => leave("name")}
          error={shown.name}
        />
        <TagsInput
          label="Profiles"
          description={
            <>
              Device profiles from <Code>infra/profiles</Code>. Press Enter to add one.
            </>
          }
          size="md"
          splitChars={[",", " "]}
          value={draft.profiles}
          onChange={(profiles) => change({ profiles })}
          onBlur={() => leave("profiles")}
          error={shown.profiles}
        />
        <Switch
          label="Require a presence code"
          description="A claim takes effect after a user enters the code that the device shows, to prove they are at the device. Requires a client that shows codes."
          size="md"
          checked={draft.presence}
          onChange={(event) => change({ presence: event.currentTarget.checked })}
        />
        <NativeSelect
          label="If a certificate seems to be copied"
          description="Quarantine deactivates the device's certificate everywhere until a user lifts the quarantine."
          size="md"
          data={CLONE_POLICIES}
          value={draft.clones}
          onChange={(event) => change({ clones: event.currentTarget.value as ClonePolicy })}
        />
        {failure && <FailureNotice failure={failure} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel} disabled={busy}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            {of ? "Save" : "Add"}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
