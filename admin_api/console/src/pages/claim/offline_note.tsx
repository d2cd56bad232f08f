/** Explains what works offline. */
import { Alert } from "@mantine/core";
import { useNetwork } from "@mantine/hooks";
import { IconWifiOff } from "@tabler/icons-react";
import { useSession } from "../../sign_in/gate";

export function OfflineNote({ user }: { user: string | null }) {
  const session = useSession();
  const { online } = useNetwork();
  if (session && online) return null;
  const sender = !session && user !== null ? ` as ${user}` : "";
  const condition = !session && user === null ? " and someone signs in" : "";
  return (
    <Alert role="status" color="yellow" p="xs" icon={<IconWifiOff aria-hidden />}>
      {online ? "The lobby can't be reached." : "You're offline."} Claims are stored on this phone and sent
      {sender} when {online ? "it can" : "the network is back"}
      {condition}.
    </Alert>
  );
}
