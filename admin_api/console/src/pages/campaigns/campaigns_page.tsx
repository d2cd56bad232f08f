/** The campaigns page: operations on many devices, their progress and failures; create, approve, pause, undo. */
import { Button, Text } from "@mantine/core";
import { IconPlus, IconSpeakerphone } from "@tabler/icons-react";
import { useState } from "react";
import { failureOf } from "../../api/failures";
import { useLiveQuery } from "../../api/live";
import { EmptyState } from "../../parts/empty_state";
import entries from "../../parts/entry_list.module.css";
import { FailureNotice } from "../../parts/failure_notice";
import { Loading } from "../../parts/loading";
import { PageHead } from "../../parts/page_head";
import { useMe } from "../../sign_in/me";
import { CampaignDialog, type Subject } from "./campaign_dialog";
import { CampaignRow } from "./campaign_row";
import { CAMPAIGN_LIST, type Campaign } from "./operations";

/** The feeder records its progress at the same interval. */
const EVERY_MS = 3_000;
const BY_FILTER: Subject = { chosen: null, what: "" };

export default function CampaignsPage() {
  const me = useMe();
  const [subject, setSubject] = useState<Subject | null>(null);
  const [{ data, error }, again] = useLiveQuery({ query: CAMPAIGN_LIST }, EVERY_MS);
  const campaigns = data?.campaigns.nodes;
  const refresh = () => again({ requestPolicy: "network-only" });
  return (
    <>
      <PageHead title="Campaigns">
        {me.may("createCampaign") && (
          <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setSubject(BY_FILTER)}>
            Create campaign
          </Button>
        )}
      </PageHead>
      {error && <FailureNotice failure={failureOf(error)} onRetry={refresh} />}
      {!campaigns && !error && <Loading what="campaigns" />}
      {campaigns && <List campaigns={campaigns} onChanged={refresh} />}
      <CampaignDialog subject={subject} onClose={() => setSubject(null)} onCreated={refresh} />
    </>
  );
}

function List({ campaigns, onChanged }: { campaigns: readonly Campaign[]; onChanged: () => void }) {
  if (campaigns.length === 0)
    return (
      <EmptyState icon={<IconSpeakerphone />} title="No campaigns">
        <Text size="sm">
          A campaign carries out one operation on many devices, in the cloud. It can be paused, cancelled and
          undone. Create one here, from devices that you select on the page Devices, or with lobbyctl
          campaigns.
        </Text>
      </EmptyState>
    );
  return (
    <ul className={entries.list}>
      {campaigns.map((campaign) => (
        <CampaignRow
          key={campaign.name}
          campaign={campaign}
          undo={campaigns.find(({ name }) => name === campaign.undoneBy)}
          onChanged={onChanged}
        />
      ))}
    </ul>
  );
}
