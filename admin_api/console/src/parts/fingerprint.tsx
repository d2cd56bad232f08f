/** A fingerprint as printed on the label, and a button to copy all of it. */
import { ActionIcon, CopyButton, Group, Text, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { shortForm } from "../label/short_form";

export function Fingerprint({ certid, copy = false }: { certid: string; copy?: boolean }) {
  return (
    <Group gap={4} wrap="nowrap" display="inline-flex">
      <Text component="span" ff="monospace" size="sm" title={certid}>
        {shortForm(certid)}
      </Text>
      {copy && <Copy text={certid} what="fingerprint" />}
    </Group>
  );
}

export function Copy({ text, what }: { text: string; what: string }) {
  return (
    <CopyButton value={text} timeout={2000}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : `Copy ${what}`}>
          <ActionIcon
            variant="subtle"
            color={copied ? "green" : "gray"}
            size="md"
            className="copy"
            onClick={copy}
            aria-label={copied ? "Copied" : `Copy ${what}`}
          >
            {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}
