/** Changes many devices: a form for the values of the change, a preview, then progress and results. */
import { Alert, Button, Group, Modal, Stack, Text } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { useClient } from "urql";
import type { Failure } from "../../api/failures";
import { EMPTY_REQUEST } from "../../parts/claim_request";
import { FailureNotice } from "../../parts/failure_notice";
import { formatNumber } from "../../parts/numbers";
import { usePhone } from "../../parts/phone";
import { DeviceGroups } from "../device_groups";
import { FetchFailed } from "../devices/fetch_devices";
import { BulkProgressView } from "../waiting/bulk_progress";
import {
  ACTIONS,
  type BulkAction,
  type Change,
  changeOf,
  type Draft,
  summaryOf,
  summaryText,
} from "./change";
import { ChangeForm } from "./change_form";
import { type Chosen, type LoadedPreview, loadPreview, MAX_DEVICES } from "./load_preview";
import { Results } from "./results";
import { useBulkChange } from "./use_bulk_change";

export interface BulkRequest {
  action: BulkAction;
  chosen: Chosen;
  /** "12 selected devices", "all failed devices in Sydney". */
  what: string;
}

interface Props {
  /** Null: closed. */
  request: BulkRequest | null;
  onClose: () => void;
}

const EMPTY: Draft = { request: EMPTY_REQUEST, why: "" };

export function BulkDialog({ request, onClose }: Props) {
  // Keeps the content while the dialog closes. A new number gives the next request a new dialog.
  const [last, setLast] = useState<{ request: BulkRequest; nth: number } | null>(null);
  if (request !== null && request !== last?.request) setLast({ request, nth: (last?.nth ?? 0) + 1 });
  if (last === null) return null;
  return <Dialog key={last.nth} request={last.request} opened={request !== null} onClose={onClose} />;
}

interface DialogProps {
  request: BulkRequest;
  opened: boolean;
  onClose: () => void;
}

function Dialog({ request, opened, onClose }: DialogProps) {
  const phone = usePhone();
  const bulk = useBulkChange();
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const [preview, setPreview] = useState<(LoadedPreview & { change: Change }) | null>(null);
  const { action, what } = request;
  const { progress, running } = bulk;
  const names = new Map(preview?.devices.map((each) => [each.certid, each.device?.devicename ?? null]));
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={`${ACTIONS[action].label} ${what}`}
      centered
      size="lg"
      fullScreen={phone}
      closeOnClickOutside={false}
      closeOnEscape={!running}
      withCloseButton={!running}
    >
      {progress && !running ? (
        <Results outcomes={progress.done} names={names} onClose={onClose} />
      ) : progress ? (
        <BulkProgressView progress={progress} onStop={bulk.stop} />
      ) : preview ? (
        <Preview
          action={action}
          preview={preview}
          names={names}
          onBack={() => setPreview(null)}
          onConfirm={() => void bulk.run(summaryOf(preview.devices).changing, preview.change)}
        />
      ) : (
        <Preparation
          request={request}
          draft={draft}
          onChange={setDraft}
          onPreview={setPreview}
          onClose={onClose}
        />
      )}
    </Modal>
  );
}

interface PreparationProps {
  request: BulkRequest;
  draft: Draft;
  onChange: (draft: Draft) => void;
  onPreview: (preview: LoadedPreview & { change: Change }) => void;
  onClose: () => void;
}

function Preparation({ request, draft, onChange, onPreview, onClose }: PreparationProps) {
  const client = useClient();
  /** Null: not loading. */
  const [count, setCount] = useState<number | null>(null);
  const [failure, setFailure] = useState<Failure>();
  const stopped = useRef(false);
  const change = changeOf(request.action, draft);
  // A closed dialog does not load further pages.
  useEffect(
    () => () => {
      stopped.current = true;
    },
    [],
  );

  const load = async (wanted: Change) => {
    stopped.current = false;
    setFailure(undefined);
    setCount(0);
    try {
      const loaded = await loadPreview(client, wanted, request.chosen, (far) => {
        setCount(far);
        return !stopped.current;
      });
      if (!stopped.current) onPreview({ ...loaded, change: wanted });
    } catch (error) {
      if (!(error instanceof FetchFailed)) throw error;
      setFailure(error.failure);
    } finally {
      setCount(null);
    }
  };

  return (
    <Stack>
      <ChangeForm action={request.action} draft={draft} onChange={onChange} />
      {failure && <FailureNotice failure={failure} />}
      <Group justify="flex-end">
        <Text size="sm" c="dimmed" role="status">
          {count !== null && count > 0 && `${formatNumber(count)} looked up`}
        </Text>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button loading={count !== null} disabled={!change} onClick={() => change && void load(change)}>
          Preview
        </Button>
      </Group>
    </Stack>
  );
}

interface PreviewProps {
  action: BulkAction;
  preview: LoadedPreview;
  names: ReadonlyMap<string, string | null>;
  onBack: () => void;
  onConfirm: () => void;
}

function Preview({ action, preview, names, onBack, onConfirm }: PreviewProps) {
  const summary = summaryOf(preview.devices);
  const { label } = ACTIONS[action];
  const count = summary.changing.length;
  return (
    <Stack>
      <Text size="sm" fw={600} role="status">
        {preview.devices.length === 0 ? "No device matches." : summaryText(summary)}
      </Text>
      {preview.cut && (
        <Alert color="yellow" py="xs">
          Only the first {formatNumber(MAX_DEVICES)} devices are changed here. Repeat it for the others, or
          use lobbyctl.
        </Alert>
      )}
      {summary.refused.length > 0 && (
        <Alert color="gray" title="Not possible">
          <DeviceGroups failed={summary.refused} names={names} />
        </Alert>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={onBack} data-autofocus>
          Back
        </Button>
        <Button color={action === "revoke" ? "red" : undefined} disabled={count === 0} onClick={onConfirm}>
          {label} {formatNumber(count)}
        </Button>
      </Group>
    </Stack>
  );
}
