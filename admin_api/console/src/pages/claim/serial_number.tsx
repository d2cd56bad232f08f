/** The button that opens the dialog for claiming by serial number. */
import { Button } from "@mantine/core";
import { IconHash } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { useMe } from "../../sign_in/me";
import type { Choice } from "./use_choice";

/** Loaded when it is opened, because the claim page must load fast and has no other dialog. */
const SerialNumberDialog = lazy(async () => ({
  default: (await import("./serial_number_dialog")).SerialNumberDialog,
}));

export function SerialNumberButton({ choice }: { choice: Choice }) {
  const me = useMe();
  const [state, setState] = useState<"unused" | "opened" | "closed">("unused");
  if (!me.may("claimSerialNumbers")) return null;
  return (
    <>
      <Button
        variant="subtle"
        size="md"
        leftSection={<IconHash size={20} aria-hidden />}
        onClick={() => setState("opened")}
      >
        Claim by serial number
      </Button>
      {state !== "unused" && (
        <Suspense>
          <SerialNumberDialog
            choice={choice}
            opened={state === "opened"}
            onClose={() => setState("closed")}
          />
        </Suspense>
      )}
    </>
  );
}
