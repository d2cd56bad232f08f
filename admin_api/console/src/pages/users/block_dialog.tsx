/** The form that blocks a user by name. The API checks the name; its message is shown next to the form. */
import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useClient } from "urql";
import { type Failure, failureOf } from "../../api/failures";
import { FailureNotice } from "../../parts/failure_notice";
import { usePhone } from "../../parts/phone";
import { BLOCK_USER } from "./operations";

interface Props {
  opened: boolean;
  onClose: () => void;
  onBlocked: (name: string) => void;
}

export function BlockDialog({ opened, onClose, onBlocked }: Props) {
  const phone = usePhone();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Block user"
      fullScreen={phone}
      closeButtonProps={{ "aria-label": "Close", size: phone ? 44 : "md" }}
    >
      <BlockForm onCancel={onClose} onBlocked={onBlocked} />
    </Modal>
  );
}

function BlockForm({ onCancel, onBlocked }: { onCancel: () => void; onBlocked: Props["onBlocked"] }) {
  const client = useClient();
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFailure(undefined);
    const { data, error } = await client.mutation(BLOCK_USER, { name: name.trim() }).toPromise();
    setBusy(false);
    if (error) setFailure(failureOf(error));
    if (data?.blockUser) onBlocked(data.blockUser.name);
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack>
        <Text size="sm">
          The lobby refuses all their requests within 5 seconds, although they are signed in. Also disable the
          user in Cognito, so that they cannot sign in elsewhere.
        </Text>
        <TextInput
          label="Name"
          description="As histories and Activity show it"
          size="md"
          data-autofocus
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {failure && <FailureNotice failure={failure} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel} disabled={busy}>
            Cancel
          </Button>
          <Button type="submit" loading={busy} disabled={name.trim() === ""}>
            Block
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
