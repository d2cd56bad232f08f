/** Changes of the devices of a list: of the selected ones, or of all that match the filter. */
import { Button, Group, Paper, Text } from "@mantine/core";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { useLocation } from "wouter";
import { formatNumber, pluralize } from "../../parts/numbers";
import { usePhone } from "../../parts/phone";
import type { StableList } from "../../parts/stable_list";
import { keyOf, type TargetEntry } from "../../parts/targets";
import { useMe } from "../../sign_in/me";
import { BulkDialog, type BulkRequest } from "../bulk/bulk_dialog";
import { BulkMenu } from "../bulk/bulk_menu";
import type { BulkAction } from "../bulk/change";
import { CampaignDialog, type Subject } from "../campaigns/campaign_dialog";
import { type Selecting, useSelection } from "../waiting/use_selection";
import type { DeviceLine } from "./device_line";
import { filterOf, type ListQuery } from "./list_query";

interface Changing {
  /** Undefined for users who may not change devices, and on phones. */
  selecting: Selecting | undefined;
  /** The actions below the list. */
  bar: ReactNode;
}

export function useChanging(
  query: ListQuery,
  list: StableList<DeviceLine>,
  known: readonly TargetEntry[] | undefined,
): Changing {
  const phone = usePhone();
  const me = useMe();
  const may = me.may("changeDevices");
  const [subject, setSubject] = useState<Subject | null>(null);
  const selecting = useSelection();
  const [, navigate] = useLocation();
  const [request, setRequest] = useState<BulkRequest | null>(null);
  const { follow } = selecting;
  const order = useMemo(
    () => list.rows.filter((line) => !list.gone.has(line.certid)).map((line) => line.certid),
    [list],
  );
  useEffect(() => follow(order), [follow, order]);
  if (!may || phone) return { selecting: undefined, bar: null };

  const filter = filterOf(query);
  const count = selecting.chosen.size;
  const change = (action: BulkAction) => {
    if (count > 0)
      setRequest({
        action,
        chosen: { certids: [...selecting.chosen] },
        what: pluralize(count, "selected device"),
      });
    else if (filter) setRequest({ action, chosen: { filter }, what: describe(query, known) });
  };
  const campaign = me.may("createCampaign") && (
    <Button
      variant="default"
      onClick={() => {
        if (count > 0)
          setSubject({
            chosen: { certids: [...selecting.chosen] },
            what: pluralize(count, "selected device"),
          });
        else if (filter) setSubject({ chosen: { filter }, what: describe(query, known) });
      }}
    >
      Campaign…
    </Button>
  );
  const bar = (
    <>
      {count > 0 && (
        <Paper withBorder shadow="md" p="xs" mt="sm" className="at-hand" role="region" aria-label="Selection">
          <Group justify="space-between" gap="xs">
            <Text size="sm" role="status">
              <b>{formatNumber(count)}</b> selected
            </Text>
            <Group gap="xs" wrap="nowrap" ml="auto">
              <Button variant="default" onClick={selecting.clear}>
                Clear
              </Button>
              {campaign}
              <BulkMenu label={`Change ${formatNumber(count)}`} onBegin={change} />
            </Group>
          </Group>
        </Paper>
      )}
      {count === 0 && filter && list.rows.length > 0 && (
        <Group justify="flex-end" mt="sm">
          {campaign}
          <BulkMenu label="Change all that match" onBegin={change} />
        </Group>
      )}
      <BulkDialog request={request} onClose={() => setRequest(null)} />
      <CampaignDialog
        subject={subject}
        onClose={() => setSubject(null)}
        onCreated={() => navigate("/campaigns")}
      />
    </>
  );
  return { selecting, bar };
}

/** "all failed devices in Sydney with TARGET_LIMIT". */
export function describe(query: ListQuery, known: readonly TargetEntry[] | undefined): string {
  const { state, target, reason, name, print } = query;
  const place = target && (known?.find((each) => keyOf(each) === target)?.name ?? target);
  return [
    "all",
    ...(state ? [state] : []),
    "devices",
    ...(place ? [`in ${place}`] : []),
    ...(reason ? [`with ${reason}`] : []),
    ...(name ? [`named ${name}…`] : []),
    ...(print ? [`with fingerprint ${print}…`] : []),
  ].join(" ");
}
