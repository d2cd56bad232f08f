/**
 * Sends queued claims whenever there is a session and a network, on every page: immediately when a claim is
 * made or the network returns, and again after a pause if the lobby does not respond.
 */
import { useNetwork } from "@mantine/hooks";
import { useEffect, useRef, useState } from "react";
import { useClient } from "urql";
import { useMe } from "../../../sign_in/me";
import { deliverBy } from "./deliver";
import { claimQueue, useClaims } from "./use_claims";

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

export default function QueueSender() {
  const { name, may } = useMe();
  const client = useClient();
  const { online } = useNetwork();
  const { entries } = useClaims();
  const [turn, setTurn] = useState(0);
  const failures = useRef(0);
  const newest = entries.findLast(({ standing, by }) => standing === "waiting" && by === name)?.id;
  const mayClaim = may("claimDevice");

  useEffect(() => void claimQueue.load(), []);

  // `turn` is a dependency so that the end of a pause sends again.
  // biome-ignore lint/correctness/useExhaustiveDependencies: turn
  useEffect(() => {
    if (!newest || !online || !mayClaim) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stillHere = true;
    const pause = () => {
      const ms = Math.min(FIRST_PAUSE_MS * 2 ** failures.current++, LONGEST_PAUSE_MS);
      if (stillHere) timer = setTimeout(() => setTurn((before) => before + 1), ms);
    };
    claimQueue.send(name, deliverBy(client)).then(
      (outcome) => {
        if (outcome === "later") pause();
        else failures.current = 0;
      },
      (error: unknown) => {
        console.error(error);
        pause();
      },
    );
    return () => {
      stillHere = false;
      clearTimeout(timer);
    };
  }, [newest, online, mayClaim, name, client, turn]);

  return null;
}
