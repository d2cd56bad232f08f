/** The values that a change needs before its preview: the target of a move, a configuration, the reason of a revocation. */
import { Stack, Text, Textarea, TextInput } from "@mantine/core";
import { type ClaimRequest, withOnlyTarget } from "../../parts/claim_request";
import { LoadedTargets } from "../../parts/loaded_targets";
import { ConfigField, RouteForm } from "../../parts/route_form";
import { ShadowPicker } from "../../parts/shadow_choice";
import { ACTIONS, type BulkAction, type Draft, MAX_WHY } from "./change";

interface Props {
  action: BulkAction;
  draft: Draft;
  onChange: (draft: Draft) => void;
}

export function ChangeForm({ action, draft, onChange }: Props) {
  return (
    <Stack gap="sm">
      <Text size="sm">{ACTIONS[action].effect}</Text>
      {action === "move" && <MoveForm draft={draft} onChange={onChange} />}
      {action === "configure" && <ConfigureForm draft={draft} onChange={onChange} />}
      {action === "revoke" && (
        <Textarea
          label="Reason"
          description="Kept permanently in the histories"
          required
          autosize
          minRows={2}
          size="md"
          maxLength={MAX_WHY}
          value={draft.why}
          onChange={(event) =>
            onChange({ ...draft, why: event.currentTarget.value.replace(/[\r\n\t]+/g, " ") })
          }
        />
      )}
    </Stack>
  );
}

function ConfigureForm({ draft, onChange }: Omit<Props, "action">) {
  const { request } = draft;
  const change = (next: ClaimRequest) => onChange({ ...draft, request: next });
  return (
    <Stack gap="sm">
      <TextInput
        label="Profile"
        description="Of the targets of all these devices; empty: unchanged"
        size="md"
        value={request.profile ?? ""}
        onChange={(event) => change({ ...request, profile: event.currentTarget.value })}
      />
      <ConfigField request={request} onChange={change} unsetLabel="Unchanged" />
    </Stack>
  );
}

function MoveForm({ draft, onChange }: Omit<Props, "action">) {
  return (
    <LoadedTargets>
      {(targets) => (
        <Stack gap="sm">
          <RouteForm
            targets={targets}
            request={withOnlyTarget(draft.request, targets)}
            onChange={(request) => onChange({ ...draft, request })}
            unsetLabel="Unchanged"
          />
          <ShadowPicker
            value={draft.shadows ?? "LEAVE"}
            onChange={(shadows) => onChange({ ...draft, shadows })}
          />
        </Stack>
      )}
    </LoadedTargets>
  );
}
