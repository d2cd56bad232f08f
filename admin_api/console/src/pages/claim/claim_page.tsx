/**
 * The technician's page: scan a label (or take a photo, or type the code), check its target, claim the
 * device, watch it arrive, and continue with the next. Designed for one hand, 360 pixels and unreliable
 * networks.
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
  const { may } = useMe();
  if (session && !may("claimDevice"))
    return (
      <>
        <PageHead title="Claim" />
        <EmptyState icon={<IconEye />} title="You can't claim devices">
          Your role is read-only. Ask an admin for the technician role.
        </EmptyState>
      </>
    );
  return <ClaimView />;
}

function ClaimView() {
  const choice = useChoice();
  useEffect(() => void claimQueue.load(), []);
  return (
    <Capture
      choice={choice}
      head={
        <>
          <PageHead title="Claim" />
          <OfflineNote user={choice.user} />
        </>
      }
      list={<ClaimList user={choice.user} targets={choice.targets} />}
    />
  );
}
