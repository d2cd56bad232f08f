/** Asks the API for a part of the devices that a question has, always anew. */
import type { Client } from "urql";
import { type Failure, failureOf } from "../../api/failures";
import { DEVICES, type DeviceLine } from "./device_line";
import type { Part } from "./gather";
import { filterOf, type Question } from "./question";

/** There was no answer, and why. */
export class Unanswered extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

const NOTHING: Failure = { code: "ERROR", message: "got no answer, want a page of devices" };

/** At most `first` devices from `after` on. Throws `Unanswered`. */
export function askerOf(client: Client, question: Question) {
  const filter = filterOf(question);
  return async (first: number, after: string | null): Promise<Part<DeviceLine>> => {
    const { data, error } = await client
      .query(DEVICES, { filter, first, after }, { requestPolicy: "network-only" })
      .toPromise();
    if (!data) throw new Unanswered(error ? failureOf(error) : NOTHING);
    const { nodes, pageInfo } = data.devices;
    return { nodes, next: pageInfo.hasNextPage ? pageInfo.endCursor : null };
  };
}
