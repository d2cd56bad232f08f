/** Archiving, restoring and removing a target: the effect of each, and its confirmation. */
import { Menu, Text } from "@mantine/core";
import { IconArchive, IconArchiveOff, IconTrash } from "@tabler/icons-react";
import { useMutation } from "urql";
import { type Failure, failureOf } from "../../api/failures";
import { ConfirmDialog } from "../../parts/confirm_dialog";
import { ForeignText } from "../../parts/foreign_text";
import { keyOf } from "../../parts/targets";
import { ARCHIVE_TARGET, type Listed, REMOVE_TARGET, RESTORE_TARGET } from "./operations";

export type Retirement = "archive" | "restore" | "remove";

const WORDS = {
  archive: {
    action: "Archive target",
    text: "No device can be claimed for it. Its devices stay and can be moved, released and retried.",
  },
  restore: { action: "Restore target", text: "Devices can be claimed for it again." },
  remove: {
    action: "Remove target",
    text: "It disappears from this lobby. Its AWS account is not changed; its owner can delete the stack there.",
  },
} as const;

export function RetirementItems({
  target,
  onAsk,
}: {
  target: Listed;
  onAsk: (retirement: Retirement) => void;
}) {
  if (!target.archivedAt)
    return (
      <Menu.Item leftSection={<IconArchive size={16} />} onClick={() => onAsk("archive")}>
        {WORDS.archive.action}
      </Menu.Item>
    );
  return (
    <>
      <Menu.Item leftSection={<IconArchiveOff size={16} />} onClick={() => onAsk("restore")}>
        {WORDS.restore.action}
      </Menu.Item>
      <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={() => onAsk("remove")}>
        {WORDS.remove.action}
      </Menu.Item>
    </>
  );
}

interface Props {
  target: Listed;
  /** Null: closed. */
  asked: Retirement | null;
  onClose: () => void;
}

export function RetirementDialog({ target, asked, onClose }: Props) {
  const [, archive] = useMutation(ARCHIVE_TARGET);
  const [, restore] = useMutation(RESTORE_TARGET);
  const [, remove] = useMutation(REMOVE_TARGET);
  if (!asked) return null;
  const words = WORDS[asked];
  const confirm = async (): Promise<Failure | undefined> => {
    const where = { account: target.account, region: target.region };
    const { error } = await { archive, restore, remove }[asked](where);
    return error && failureOf(error);
  };
  return (
    <ConfirmDialog
      opened
      title={words.action}
      consequence={
        <>
          <Text fw={600} size="sm">
            <ForeignText>{target.name}</ForeignText>
          </Text>
          <Text c="dimmed" size="sm" ff="monospace">
            {keyOf(target)}
          </Text>
          <Text size="sm" mt="xs">
            {words.text}
          </Text>
        </>
      }
      action={words.action}
      dangerous={asked === "remove"}
      onConfirm={confirm}
      onClose={onClose}
    />
  );
}
