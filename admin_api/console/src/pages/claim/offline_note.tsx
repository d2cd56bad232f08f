/** What is possible without a network, said where there is none. */
import { Alert } from "@mantine/core";
import { useNetwork } from "@mantine/hooks";
import { IconWifiOff } from "@tabler/icons-react";
import { useSession } from "../../sign_in/gate";

export function OfflineNote({ person }: { person: string | null }) {
  const session = useSession();
  const { online } = useNetwork();
  if (session && online) return null;
  return (
    <Alert
      role="status"
      color="yellow"
      p="sm"
      icon={<IconWifiOff aria-hidden />}
      title={session ? "No network" : "Opened without a network"}
    >
      Claims are kept on this phone and sent when the network is back
      {session ? "." : person === null ? ", once somebody has signed in." : `, in the name of ${person}.`}
    </Alert>
  );
}
