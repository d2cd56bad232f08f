/** What the question has found: kept up to date without moving, or why there is nothing to show. */
import { Button, Stack } from "@mantine/core";
import { useState } from "react";
import { AsOf } from "../../parts/as_of";
import { FailureNotice } from "../../parts/failure_notice";
import { FreshNotice } from "../../parts/fresh_notice";
import { Loading } from "../../parts/loading";
import { counted } from "../../parts/numbers";
import type { Steady } from "../../parts/steady";
import type { TargetEntry } from "../../parts/targets";
import { useSteady } from "../../parts/use_steady";
import type { Column } from "./columns";
import type { DeviceLine } from "./device_line";
import { DeviceList } from "./device_list";
import { EmptyDevices } from "./empty_devices";
import { Pager } from "./pager";
import { addressOf, asking, EVERYTHING, filterOf, type Question } from "./question";
import { wentOn } from "./trail";
import { type Page, usePage } from "./use_page";

interface Props {
  question: Question;
  columns: readonly Column[];
  known: readonly TargetEntry[] | undefined;
  onAsk: (question: Question) => void;
}

export function DevicesFound({ question, columns, known, onAsk }: Props) {
  const { page, failure, look } = usePage(question);
  const entered = useEntered(addressOf(question));
  if (!page && failure?.code === "INVALID_CURSOR")
    return (
      <Stack>
        <FailureNotice failure={failure} />
        <Button variant="default" onClick={() => onAsk({ ...question, after: null })}>
          To the first page
        </Button>
      </Stack>
    );
  if (!page && failure) return <FailureNotice failure={failure} onRetry={look} />;
  if (!page) return <Loading what="the devices" />;
  return (
    <>
      <AsOf at={page.at} failure={failure} onRetry={look} />
      <Listed
        page={page}
        entered={entered}
        question={question}
        columns={columns}
        known={known}
        onAsk={onAsk}
      />
    </>
  );
}

function Listed({ page, entered, question, columns, known, onAsk }: Props & { page: Page; entered: Date }) {
  // What is remembered from before one came is let go as soon as there is news.
  const about = `${addressOf(question)} ${page.at < entered}`;
  const { list, show } = useSteady(page.nodes, true, about);
  const next = (cursor: string) => {
    wentOn(question.after, cursor);
    onAsk({ ...question, after: cursor });
    scrollTo({ top: 0 });
  };
  const isEmpty = list.rows.length === 0 && page.next === null;
  return (
    <>
      <FreshNotice words={changesOf(list)} onShow={show} />
      {isEmpty ? (
        <EmptyDevices
          filtered={filterOf(question) !== null || question.after !== null}
          onClear={() => onAsk({ ...EVERYTHING, size: question.size })}
        />
      ) : (
        list.rows.length > 0 && <DeviceList list={list} columns={columns} known={known} />
      )}
      {!(isEmpty && question.after === null) && (
        <Pager
          question={question}
          page={page}
          onNext={next}
          onBack={(cursor) => onAsk({ ...question, after: cursor })}
          onSize={(size) => onAsk(asking(question, { size }))}
        />
      )}
    </>
  );
}

/** When somebody came to this address. */
function useEntered(address: string): Date {
  const [came, setCame] = useState(() => ({ address, at: new Date() }));
  if (came.address === address) return came.at;
  const next = { address, at: new Date() };
  setCame(next);
  return next.at;
}

/** "2 new, 1 gone"; null: the list is as it is shown. */
function changesOf({ fresh, gone }: Steady<DeviceLine>): string | null {
  const words = [
    ...(fresh.length > 0 ? [`${counted(fresh.length, "device")} new here`] : []),
    ...(gone.size > 0 ? [`${counted(gone.size, "device")} gone`] : []),
  ];
  return words.length > 0 ? words.join(", ") : null;
}
