/** Creates a campaign from selected devices or a filter: asks what to do, shows a preview, then creates it. */
import { Button, Group, Modal, NumberInput, Select, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useClient } from "urql";
import { type Failure, failureOf } from "../../api/failures";
import { EMPTY_REQUEST } from "../../parts/claim_request";
import { FailureNotice } from "../../parts/failure_notice";
import { pluralize } from "../../parts/numbers";
import { usePhone } from "../../parts/phone";
import { useMe } from "../../sign_in/me";
import { ACTIONS, type BulkAction, changeOf, type Draft } from "../bulk/change";
import { ChangeForm } from "../bulk/change_form";
import type { Chosen } from "../bulk/load_preview";
import { CampaignFilter, type EnteredFilter, filterOf, NO_FILTER } from "./campaign_filter";
import { CREATE_CAMPAIGN, PREVIEW_CAMPAIGN, type Preview } from "./operations";
import { failureText, previewOf } from "./texts";

export interface Subject {
  /** Null: the user enters a filter. */
  chosen: Chosen | null;
  /** "12 selected devices", "all failed devices in Sydney". */
  what: string;
}

interface Props {
  /** Null: closed. */
  subject: Subject | null;
  onClose: () => void;
  onCreated: () => void;
}

export function CampaignDialog({ subject, onClose, onCreated }: Props) {
  const phone = usePhone();
  const title = subject?.what ? `Campaign over ${subject.what}` : "Create campaign";
  return (
    <Modal
      opened={subject !== null}
      onClose={onClose}
      title={title}
      size="lg"
      fullScreen={phone}
      closeOnClickOutside={false}
      closeButtonProps={{ "aria-label": "Close", size: phone ? 44 : "md" }}
    >
      {subject && (
        <CampaignForm
          subject={subject}
          onCancel={onClose}
          onCreated={() => {
            onCreated();
            onClose();
          }}
        />
      )}
    </Modal>
  );
}

interface Entered {
  name: string;
  action: BulkAction;
  filter: EnteredFilter;
  canary: number | string;
  failures: number | string;
}

const EMPTY: Entered = {
  name: "",
  action: "move",
  filter: NO_FILTER,
  canary: 0,
  failures: 10,
};

interface FormProps {
  subject: Subject;
  onCancel: () => void;
  onCreated: () => void;
}

function CampaignForm({ subject, onCancel, onCreated }: FormProps) {
  const client = useClient();
  const [entered, setEntered] = useState<Entered>(EMPTY);
  const [draft, setDraft] = useState<Draft>({ request: EMPTY_REQUEST, why: "" });
  const [preview, setPreview] = useState<Preview | null>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const change = changeOf(entered.action, draft);
  const devices = devicesOf(subject, entered.filter);
  const edit = (part: Partial<Entered>) => {
    setPreview(null);
    setEntered((now) => ({ ...now, ...part }));
  };

  const carryOut = async () => {
    if (!change || !devices) return;
    setBusy(true);
    setFailure(undefined);
    if (preview === null) {
      const { data, error } = await client
        .query(PREVIEW_CAMPAIGN, { change, ...devices }, { requestPolicy: "network-only" })
        .toPromise();
      setPreview(data?.previewCampaign ?? null);
      setFailure(error && failureOf(error));
    } else {
      const limits = { canary: Number(entered.canary), maxFailureRate: Number(entered.failures) / 100 };
      const variables = { name: entered.name.trim(), change, ...devices, ...limits };
      const { error } = await client.mutation(CREATE_CAMPAIGN, variables).toPromise();
      if (!error) return onCreated();
      setFailure(failureOf(error));
    }
    setBusy(false);
  };

  return (
    <Stack>
      <Basics entered={entered} edit={edit} />
      {subject.chosen === null && (
        <CampaignFilter entered={entered.filter} onChange={(filter) => edit({ filter })} />
      )}
      <Operation
        entered={entered}
        edit={(part) => {
          edit(part);
          setDraft({ request: EMPTY_REQUEST, why: "" });
        }}
      />
      <ChangeForm
        action={entered.action}
        draft={draft}
        onChange={(next) => {
          setPreview(null);
          setDraft(next);
        }}
      />
      <Limits entered={entered} edit={edit} />
      {preview && <PreviewText preview={preview} />}
      {failure && <FailureNotice failure={failure} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={onCancel} disabled={busy}>
          Cancel
        </Button>
        <Button
          color={preview && entered.action === "revoke" ? "red" : undefined}
          loading={busy}
          disabled={!change || !devices || entered.name.trim() === "" || preview?.changing === 0}
          onClick={() => void carryOut()}
        >
          {preview ? "Create" : "Preview"}
        </Button>
      </Group>
    </Stack>
  );
}

/** The devices as arguments of the API; undefined without a filter. */
function devicesOf({ chosen }: Subject, entered: EnteredFilter) {
  if (chosen !== null && "certids" in chosen)
    return { devices: chosen.certids.map((certid) => ({ certid })) };
  const filter = chosen === null ? filterOf(entered) : chosen.filter;
  return filter && { filter };
}

interface PartProps {
  entered: Entered;
  edit: (part: Partial<Entered>) => void;
}

function Basics({ entered, edit }: PartProps) {
  return (
    <TextInput
      label="Name"
      description="a-z, 0-9 and dashes; part of the devices' histories, and used once"
      size="md"
      data-autofocus
      value={entered.name}
      onChange={(event) => edit({ name: event.currentTarget.value })}
    />
  );
}

function Operation({ entered, edit }: PartProps) {
  const { may } = useMe();
  const offered = (Object.keys(ACTIONS) as BulkAction[]).filter((action) => may(ACTIONS[action].operation));
  return (
    <Select
      label="Operation"
      size="md"
      allowDeselect={false}
      data={offered.map((action) => ({ value: action, label: ACTIONS[action].label }))}
      value={entered.action}
      onChange={(action) => edit({ action: (action ?? "move") as BulkAction })}
    />
  );
}

function Limits({ entered, edit }: PartProps) {
  return (
    <Group grow>
      <NumberInput
        label="Canary"
        description="Devices that must arrive first"
        size="md"
        min={0}
        max={100}
        allowDecimal={false}
        value={entered.canary}
        onChange={(canary) => edit({ canary })}
      />
      <NumberInput
        label="Stop above"
        description="Failed devices in per cent"
        size="md"
        min={0}
        max={100}
        value={entered.failures}
        onChange={(failures) => edit({ failures })}
      />
    </Group>
  );
}

function PreviewText({ preview }: { preview: Preview }) {
  return (
    <Stack gap={4} ref={(shown) => shown?.scrollIntoView?.({ block: "nearest" })}>
      <Text size="sm" fw={600} role="status">
        {preview.total === 0 ? "No device matches." : previewOf(preview)}
        {preview.pageInfo.hasNextPage && " · and others, which are counted when it is created"}
      </Text>
      {preview.refusals.map(({ code, count }) => (
        <Text key={code} size="sm" c="red">
          {pluralize(count, "device")}: {failureText(code)}
        </Text>
      ))}
      {preview.needsApproval && <Text size="sm">Another user has to approve it.</Text>}
    </Stack>
  );
}
