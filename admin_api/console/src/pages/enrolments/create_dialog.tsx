/** The form for a new enrolment. The API checks the values; its message is shown next to the form. */
import {
  Button,
  Checkbox,
  Group,
  Modal,
  NativeSelect,
  NumberInput,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useMutation } from "urql";
import { type Failure, failureOf } from "../../api/failures";
import { FailureNotice } from "../../parts/failure_notice";
import { notLoaded } from "../../parts/not_loaded";
import { usePhone } from "../../parts/phone";
import { ConfigField } from "../../parts/route_form";
import { TargetPicker, useTargets } from "../../parts/targets";
import { type Door, type Draft, EMPTY, faultOf, variablesOf } from "./draft";
import { CREATE_ENROLMENT } from "./operations";
import { SignerFields } from "./signer_fields";

const DOORS: Record<Door, { label: string; explained: string }> = {
  registration: { label: "Registration", explained: "Devices have a certificate of a registered CA." },
  claim: {
    label: "Claim certificate",
    explained: "Devices share a claim certificate: lobbyctl enrolments bundle makes it.",
  },
  token: { label: "Token", explained: "Devices show a token. Create tokens in the list of enrolments." },
};

interface Props {
  opened: boolean;
  onClose: () => void;
  onCreated: () => void;
}

export function CreateDialog({ opened, onClose, onCreated }: Props) {
  const phone = usePhone();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Create enrolment"
      size="lg"
      fullScreen={phone}
      closeButtonProps={{ "aria-label": "Close", size: phone ? 44 : "md" }}
    >
      <CreateForm
        onCancel={onClose}
        onCreated={() => {
          onCreated();
          onClose();
        }}
      />
    </Modal>
  );
}

function CreateForm({ onCancel, onCreated }: { onCancel: () => void; onCreated: () => void }) {
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const [failure, setFailure] = useState<Failure>();
  const [{ fetching: busy }, create] = useMutation(CREATE_ENROLMENT);
  const change = (part: Partial<Draft>) => setDraft((now) => ({ ...now, ...part }));
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const fault = faultOf(draft);
    if (fault) return setFailure({ code: "INCOMPLETE", message: fault });
    const { error } = await create(variablesOf(draft));
    if (error) return setFailure(failureOf(error));
    onCreated();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <Conditions draft={draft} change={change} />
        <Limits draft={draft} change={change} />
        <Claims draft={draft} change={change} />
        <SignerFields door={draft.door} signer={draft.signer} onChange={(signer) => change({ signer })} />
        {failure && <FailureNotice failure={failure} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel} disabled={busy}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            Create
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface PartProps {
  draft: Draft;
  change: (part: Partial<Draft>) => void;
}

function Conditions({ draft, change }: PartProps) {
  return (
    <>
      <TextInput
        label="Name"
        description="a-z, 0-9 and dashes; part of the claims in histories"
        size="md"
        data-autofocus
        value={draft.name}
        onChange={(event) => change({ name: event.currentTarget.value })}
      />
      <NativeSelect
        label="Door"
        description={DOORS[draft.door].explained}
        size="md"
        value={draft.door}
        onChange={(event) => change({ door: event.currentTarget.value as Door })}
        data={Object.entries(DOORS).map(([value, { label }]) => ({ value, label }))}
      />
      <TextInput
        label="Device names"
        description="A pattern: * stands for any characters, ? for one"
        placeholder="pump-*"
        size="md"
        value={draft.pattern}
        onChange={(event) => change({ pattern: event.currentTarget.value })}
      />
      {draft.door === "registration" && (
        <>
          <TextInput
            label="Organization"
            description="The field O of the certificate's subject"
            size="md"
            value={draft.organization}
            onChange={(event) => change({ organization: event.currentTarget.value })}
          />
          <TextInput
            label="CA"
            description="AWS IoT's id of the CA that signed the certificates: 64 hex digits"
            size="md"
            value={draft.ca}
            onChange={(event) => change({ ca: event.currentTarget.value })}
          />
        </>
      )}
      <Text size="sm" c="dimmed">
        A device must meet all conditions that are filled in. Lists of serial numbers, weights and functions:
        lobbyctl enrolments create.
      </Text>
    </>
  );
}

function Limits({ draft, change }: PartProps) {
  return (
    <>
      <NumberInput
        label="Limit"
        description="Maximum number of devices; empty for no limit"
        size="md"
        min={1}
        allowDecimal={false}
        value={draft.limit}
        onChange={(limit) => change({ limit })}
      />
      <TextInput
        type="date"
        label="Ends"
        description="Devices are admitted before this day (UTC); empty for no end"
        size="md"
        value={draft.ends}
        onChange={(event) => change({ ends: event.currentTarget.value })}
      />
    </>
  );
}

function Claims({ draft, change }: PartProps) {
  const { targets, error, again } = useTargets();
  return (
    <>
      <TargetPicker
        targets={targets ?? []}
        error={notLoaded("targets", { loaded: targets, error, again })}
        value={draft.target}
        onChange={(target) => change({ target })}
        label="Claim devices for"
        placeholder="None: they wait for a claim"
        size="md"
        clearable
      />
      <TextInput
        label="Profile"
        description={
          draft.target
            ? "Empty for the target's default"
            : "For claims that name no profile; empty for the target's default"
        }
        size="md"
        value={draft.profile}
        onChange={(event) => change({ profile: event.currentTarget.value })}
      />
      <ConfigField request={draft.config} onChange={(config) => change({ config })} unsetLabel="Default" />
      <Checkbox
        label="Require proof of presence"
        description="Claims are confirmed with a code that the device shows, also if the target does not require it"
        size="md"
        checked={draft.presence}
        onChange={(event) => change({ presence: event.currentTarget.checked })}
      />
    </>
  );
}
