/** The page of devices that a question asks for, looked at again every 10 seconds while it is in view. */
import { useCallback, useState } from "react";
import { type Client, useClient } from "urql";
import { useEvery } from "../../api/every";
import type { Failure } from "../../api/failures";
import { askerOf, Unanswered } from "./asking";
import type { DeviceLine } from "./device_line";
import { type Gathered, gather } from "./gather";
import { addressOf, type Question } from "./question";

const EVERY_MS = 10_000;
const MAX_REMEMBERED = 50;

export interface Page extends Gathered<DeviceLine> {
  at: Date;
}

export interface Looked {
  /** Of this question; undefined: not yet. */
  page: Page | undefined;
  failure: Failure | undefined;
  look: () => void;
}

interface Found {
  about: string;
  page: Page | undefined;
  failure?: Failure;
}

/** Pages that were seen, so that who comes back finds the list, and their place in it, as they left it. */
const remembered = new WeakMap<Client, Map<string, Page>>();

export function usePage(question: Question): Looked {
  const client = useClient();
  const about = addressOf(question);
  const [found, setFound] = useState<Found>({ about, page: undefined });
  const [again, setAgain] = useState(0);

  const look = useCallback(
    async (isCurrent: () => boolean) => {
      try {
        const page = { ...(await pageOf(client, question)), at: new Date() };
        remember(client, about, page);
        if (isCurrent()) setFound({ about, page });
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error;
        const { failure } = error;
        if (isCurrent())
          setFound((before) => ({ about, page: before.about === about ? before.page : undefined, failure }));
      }
    },
    [client, question, about],
  );
  useEvery(EVERY_MS, look, `${about} ${again}`);

  const mine = found.about === about ? found : undefined;
  return {
    page: mine?.page ?? remembered.get(client)?.get(about),
    failure: mine?.failure,
    look: () => setAgain((count) => count + 1),
  };
}

async function pageOf(client: Client, question: Question): Promise<Gathered<DeviceLine>> {
  return gather(askerOf(client, question), question.size, question.after);
}

function remember(client: Client, about: string, page: Page): void {
  const pages = remembered.get(client) ?? new Map<string, Page>();
  pages.delete(about);
  pages.set(about, page);
  const [oldest] = pages.keys();
  if (pages.size > MAX_REMEMBERED && oldest !== undefined) pages.delete(oldest);
  remembered.set(client, pages);
}
