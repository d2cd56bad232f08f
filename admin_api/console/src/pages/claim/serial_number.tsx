/** The button that opens the dialog for claiming by serial number. A serial number that was scanned opens it, too. */
import { Button } from "@mantine/core";
import { IconHash } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { useMe } from "../../sign_in/me";
import type { Choice } from "./use_choice";

/** Loaded when it is opened, because the claim page must load fast and has no other dialog. */
const SerialNumberDialog = lazy(async () => ({
  default: (await import("./serial_number_dialog")).SerialNumberDialog,
}));

interface Props {
  choice: Choice;
  /** The serial number that was scanned on the page, while its dialog is open. */
  scanned: string | null;
  onClose: () => void;
}

export function SerialNumberButton({ choice, scanned, onClose }: Props) {
  const me = useMe();
  const [asked, setAsked] = useState(false);
  const opened = asked || scanned !== null;
  const [used, setUsed] = useState(opened);
  if (opened && !used) setUsed(true);
  if (!me.may("claimSerialNumbers")) return null;
  return (
    <>
      <Button
        variant="subtle"
        size="md"
        leftSection={<IconHash size={20} aria-hidden />}
        onClick={() => setAsked(true)}
      >
        Claim by serial number
      </Button>
      {used && (
        <Suspense>
          <SerialNumberDialog
            choice={choice}
            scanned={scanned ?? ""}
            opened={opened}
            onClose={() => {
              setAsked(false);
              onClose();
            }}
          />
        </Suspense>
      )}
    </>
  );
}
