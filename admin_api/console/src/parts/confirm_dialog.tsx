/** Asks for confirmation, explains the effect, and shows the error if the action fails. */
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { type ReactNode, useState } from "react";
import type { Failure } from "../api/failures";
import { FailureNotice } from "./failure_notice";

interface Props {
  opened: boolean;
  title: string;
  /** The effect of the action. */
  consequence: ReactNode;
  action: string;
  dangerous?: boolean;
  disabled?: boolean;
  /** The button that closes the dialog without the action. */
  keep?: string;
  children?: ReactNode;
  /** Runs the action; returns the failure, if any. */
  onConfirm: () => Promise<Failure | undefined>;
  onClose: () => void;
}

export function ConfirmDialog(props: Props) {
  const {
    opened,
    title,
    consequence,
    action,
    dangerous = false,
    disabled = false,
    keep = "Cancel",
    children,
    onConfirm,
    onClose,
  } = props;
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();

  const close = () => {
    setFailure(undefined);
    onClose();
  };
  const confirm = async () => {
    setBusy(true);
    const refused = await onConfirm();
    setBusy(false);
    setFailure(refused);
    if (!refused) close();
  };

  return (
    <Modal opened={opened} onClose={close} title={title} centered closeOnClickOutside={!busy}>
      <Stack>
        <Text size="sm" component="div">
          {consequence}
        </Text>
        {children}
        {failure && <FailureNotice failure={failure} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={close} disabled={busy} data-autofocus>
            {keep}
          </Button>
          <Button color={dangerous ? "red" : undefined} loading={busy} disabled={disabled} onClick={confirm}>
            {action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
