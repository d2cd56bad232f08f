/** A button that copies a message which a technician sends to an operator. */
import { Button, CopyButton } from "@mantine/core";

export function CopyForOperator({ text }: { text: string }) {
  return (
    <CopyButton value={text} timeout={4000}>
      {({ copied, copy }) => (
        <Button size="md" variant="default" onClick={copy}>
          {copied ? "Copied. Send it to an operator." : "Copy for operator"}
        </Button>
      )}
    </CopyButton>
  );
}
