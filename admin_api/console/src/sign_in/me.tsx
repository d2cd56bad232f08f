/** The user's name, role and permissions from the API. The page depends on them, never on the token. */
import { createContext, type ReactNode, useContext, useState } from "react";
import { failureOf } from "../api/failures";
import { graphql } from "../api/graphql";
import { useLiveQuery } from "../api/live";
import { FailureNotice } from "../parts/failure_notice";
import { Loading } from "../parts/loading";
import { useSession } from "./gate";

export const ME = graphql(`query Me { me { name role operations } }`);

const RETRY_MS = 5_000;

export interface Me {
  name: string;
  role: string;
  may: (operation: string) => boolean;
}

/** Without a session there is no user; claims can still be queued. */
const NOBODY: Me = { name: "", role: "", may: () => false };
export const MeContext = createContext<Me>(NOBODY);

export function meOf({ name, role, operations }: { name: string; role: string; operations: string[] }): Me {
  return { name, role, may: (operation) => operations.includes(operation) };
}

export function useMe(): Me {
  return useContext(MeContext);
}

export function MeProvider({ children }: { children: ReactNode }) {
  const session = useSession();
  // Requested again automatically until it is known.
  const [known, setKnown] = useState(false);
  const [{ data, error }, again] = useLiveQuery({ query: ME, pause: !session }, known ? null : RETRY_MS);
  if (data && !known) setKnown(true);
  if (!session) return children;
  if (!data && error)
    return (
      <FailureNotice failure={failureOf(error)} onRetry={() => again({ requestPolicy: "network-only" })} />
    );
  if (!data) return <Loading what="your account" />;
  return <MeContext value={meOf(data.me)}>{children}</MeContext>;
}
