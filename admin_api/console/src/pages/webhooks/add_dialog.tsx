/** The form for a new webhook. The API checks the address; its message is shown next to the form. */
import { Button, Group, Modal, MultiSelect, Stack, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useClient } from "urql";
import { type Failure, failureOf } from "../../api/failures";
import { FailureNotice } from "../../parts/failure_notice";
import { usePhone } from "../../parts/phone";
import { ADD_WEBHOOK, type MadeSecret } from "./operations";
import { EVENT_NAMES } from "./texts";

interface Props {
  opened: boolean;
  onClose: () => void;
  onAdded: (added: MadeSecret) => void;
}

export function AddDialog({ opened, onClose, onAdded }: Props) {
  const phone = usePhone();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Add webhook"
      size="lg"
      fullScreen={phone}
      closeButtonProps={{ "aria-label": "Close", size: phone ? 44 : "md" }}
    >
      <AddForm onCancel={onClose} onAdded={onAdded} />
    </Modal>
  );
}

function AddForm({ onCancel, onAdded }: { onCancel: () => void; onAdded: Props["onAdded"] }) {
  const client = useClient();
  const [url, setUrl] = useState("");
  const [events, setEvents] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFailure(undefined);
    const { data, error } = await client.mutation(ADD_WEBHOOK, { url: url.trim(), events }).toPromise();
    setBusy(false);
    if (error) setFailure(failureOf(error));
    if (data?.addWebhook) onAdded(data.addWebhook);
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <TextInput
          type="url"
          label="URL"
          description="HTTPS, with a public host name, on port 443 or 8443"
          placeholder="https://example.com/hook"
          size="md"
          data-autofocus
          value={url}
          onChange={(event) => setUrl(event.currentTarget.value)}
        />
        <MultiSelect
          label="Events"
          description="None chosen: all events"
          placeholder={events.length === 0 ? "All events" : ""}
          size="md"
          data={EVENT_NAMES}
          value={events}
          onChange={setEvents}
          searchable
          clearable
          nothingFoundMessage="No matches"
        />
        {failure && <FailureNotice failure={failure} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel} disabled={busy}>
            Cancel
          </Button>
          <Button type="submit" loading={busy} disabled={url.trim() === ""}>
            Add
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
