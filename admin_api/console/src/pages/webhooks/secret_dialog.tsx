/** Shows a new signing secret once. It closes only with its buttons, because the secret cannot be read again.
 * */
import { Button, Group, Modal, Stack } from "@mantine/core";
import { ShownOnce } from "../../parts/shown_once";
import type { MadeSecret } from "./operations";

interface Props {
  /** Null: closed. */
  made: MadeSecret | null;
  onClose: () => void;
}

export function SecretDialog({ made, onClose }: Props) {
  return (
    <Modal
      opened={made !== null}
      onClose={onClose}
      title="Signing secret"
      centered
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
      transitionProps={{ duration: 0 }}
    >
      {made && (
        <Stack>
          <ShownOnce value={made.secret} what="secret">
            The receiver at {made.webhook.url} verifies signatures with it (Standard Webhooks).
          </ShownOnce>
          <Group justify="flex-end">
            <Button onClick={onClose}>Done</Button>
          </Group>
        </Stack>
      )}
    </Modal>
  );
}
