/** A new secret that cannot be read again, with a button that copies it. */
import { Button, Code, CopyButton, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

interface Props {
  value: string;
  /** What is copied: "token". */
  what: string;
  /** How it is used. */
  children: ReactNode;
}

export function ShownOnce({ value, what, children }: Props) {
  return (
    <Stack gap="xs" role="status">
      <Text fw={600}>Copy it now. It is not shown again.</Text>
      <Code block style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere" }}>
        {value}
      </Code>
      <Text size="sm" c="dimmed">
        {children}
      </Text>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <Button variant="default" onClick={copy}>
            {copied ? "Copied" : `Copy ${what}`}
          </Button>
        )}
      </CopyButton>
    </Stack>
  );
}
