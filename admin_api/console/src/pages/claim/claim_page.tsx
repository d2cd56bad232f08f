/**
 * The technician's page: scan a label (or take a photo of it, or type its code), see where it is to go, claim it, watch it
 * arrive, and go on with the next one. Made for one hand and 360 pixels, and for places without a network.
 */
import { IconEye } from "@tabler/icons-react";
import { useEffect } from "react";
import { EmptyState } from "../../parts/empty_state";
import { PageHead } from "../../parts/page_head";
import { useSession } from "../../sign_in/gate";
import { useMe } from "../../sign_in/me";
import { Capture } from "./capture";
import { ClaimList } from "./claim_list";
import { OfflineNote } from "./offline_note";
import { claimQueue } from "./queue/use_claims";
import { useChoice } from "./use_choice";

export default function ClaimPage() {
  const session = useSession();
  const { may, role } = useMe();
  if (session && !may("claimDevice"))
    return (
      <>
        <PageHead title="Claim" />
        <EmptyState icon={<IconEye />} title="Claiming is not for you">
          A {role} looks on. Ask an admin for the role of a technician.
        </EmptyState>
      </>
    );
  return <ClaimDesk />;
}

function ClaimDesk() {
  const choice = useChoice();
  useEffect(() => void claimQueue.load(), []);
  return (
    <Capture
      choice={choice}
      head={
        <>
          <PageHead title="Claim" />
          <OfflineNote person={choice.person} />
        </>
      }
      list={<ClaimList person={choice.person} targets={choice.targets} />}
    />
  );
}
