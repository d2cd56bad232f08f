/** The activity page: actions on devices and their actors, newest first, by actor, target, enrolment and time. */
import { Button, Text } from "@mantine/core";
import { IconHistory, IconRefresh } from "@tabler/icons-react";
import { useCallback } from "react";
import { useClient } from "urql";
import { useLocation, useSearch } from "wouter";
import { failureOf } from "../../api/failures";
import { EmptyState } from "../../parts/empty_state";
import entryList from "../../parts/entry_list.module.css";
import { LoadMore } from "../../parts/load_more";
import { Loading } from "../../parts/loading";
import { PageHead } from "../../parts/page_head";
import { keyOf, useTargets } from "../../parts/target_names";
import { usePages } from "../../parts/use_pages";
import { ActivityRow } from "./activity_row";
import { activityAddress, conditionsOf, filterOf } from "./conditions";
import { ConditionsForm } from "./conditions_form";
import { ACTIVITY, type Activity } from "./operations";

const ON_A_PAGE = 50;

export default function ActivityPage() {
  const search = useSearch();
  const [, navigate] = useLocation();
  const conditions = conditionsOf(search);
  const pages = useActivity(search);
  const { entries, next, busy, failure, refresh } = pages;
  return (
    <>
      <PageHead title="Activity">
        <Button
          variant="default"
          leftSection={<IconRefresh size={18} aria-hidden />}
          loading={busy && entries !== undefined}
          onClick={refresh}
        >
          Refresh
        </Button>
      </PageHead>
      <ConditionsForm
        key={search}
        conditions={conditions}
        onApply={(entered) => navigate(activityAddress(entered))}
      />
      {!entries && !failure && <Loading what="activity" />}
      {entries && entries.length > 0 && <List entries={entries} />}
      {entries?.length === 0 && <Nothing filtered={filterOf(conditions) !== null} last={next === null} />}
      <LoadMore pages={pages} />
    </>
  );
}

/** The log with the conditions of an address's search. */
function useActivity(search: string) {
  const client = useClient();
  const load = useCallback(
    async (after: string | null) => {
      const variables = { filter: filterOf(conditionsOf(search)), first: ON_A_PAGE, after };
      const { data, error } = await client
        .query(ACTIVITY, variables, { requestPolicy: "network-only" })
        .toPromise();
      if (data && !error) return data.activity;
      return error ? failureOf(error) : { code: "ERROR", message: "got no answer, want a page of the log" };
    },
    [client, search],
  );
  return usePages<Activity>(load);
}

function List({ entries }: { entries: readonly Activity[] }) {
  const { targets } = useTargets();
  const nameOf = (key: string) => targets?.find((each) => keyOf(each) === key)?.name ?? key;
  return (
    <ul className={entryList.list}>
      {entries.map((activity) => (
        <ActivityRow
          key={`${activity.certid ?? activity.at}-${activity.seq}`}
          activity={activity}
          nameOf={nameOf}
        />
      ))}
    </ul>
  );
}

/** A page can be empty although later pages are not, because the API reads a part of the log for each. */
function Nothing({ filtered, last }: { filtered: boolean; last: boolean }) {
  if (!last) return <Text ta="center">No matching entries in this part of the log.</Text>;
  return (
    <EmptyState icon={<IconHistory />} title={filtered ? "No matching entries" : "No activity"}>
      {filtered
        ? "No entry of the last 90 days meets all conditions."
        : "The actions of users, campaigns and enrolments on devices are listed here for 90 days."}
    </EmptyState>
  );
}
