/** The values that a change needs before its preview: the target of a move, the reason of a revocation. */
import { Stack, Text, Textarea } from "@mantine/core";
import { withOnlyTarget } from "../../parts/claim_request";
import { LoadedTargets } from "../../parts/loaded_targets";
import { RouteForm } from "../../parts/route_form";
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
