/**
 * The user's name, role and permissions from the API, and whether this Region of the lobby accepts changes. The page
 * depends on them, never on the token.
 */
import { createContext, type ReactNode, useContext, useState } from "react";
import { failureOf } from "../api/failures";
import { graphql } from "../api/graphql";
import { useLiveQuery } from "../api/live";
import { FailureNotice } from "../parts/failure_notice";
import { Loading } from "../parts/loading";
import { useSession } from "./gate";

export const ME = graphql(
  `query Me { me { name role operations } lobby { region home acceptsChanges code } }`,
);

const RETRY_MS = 5_000;
/** How often a page asks whether its Region accepts changes, while it does not. */
const REFUSED_MS = 30_000;

export interface Me {
  name: string;
  role: string;
  may: (operation: string) => boolean;
  /** Why this Region of the lobby accepts no changes now. */
  refusal: Refusal | null;
}

export interface Refusal {
  region: string;
  home: string | null;
  code: string;
}

interface Lobby {
  region: string;
  home: string | null;
  acceptsChanges: boolean;
  code: string | null;
}

/** Without a session there is no user; claims can still be queued. */
const NOBODY: Me = { name: "", role: "", may: () => false, refusal: null };
export const MeContext = createContext<Me>(NOBODY);

export function meOf(
  { name, role, operations }: { name: string; role: string; operations: string[] },
  lobby?: Lobby,
): Me {
  return { name, role, may: (operation) => operations.includes(operation), refusal: refusalOf(lobby) };
}

function refusalOf(lobby?: Lobby): Refusal | null {
  if (!lobby || lobby.acceptsChanges) return null;
  return { region: lobby.region, home: lobby.home, code: lobby.code ?? "NOT_HOME" };
}

export function useMe(): Me {
  return useContext(MeContext);
}

export function MeProvider({ children }: { children: ReactNode }) {
  const session = useSession();
  // Requested again automatically until it is known.
  const [known, setKnown] = useState(false);
  const [refused, setRefused] = useState(false);
  const every = known ? (refused ? REFUSED_MS : null) : RETRY_MS;
  const [{ data, error }, again] = useLiveQuery({ query: ME, pause: !session }, every);
  if (data && !known) setKnown(true);
  const refuses = data?.lobby?.acceptsChanges === false;
  if (data && refuses !== refused) setRefused(refuses);
  if (!session) return children;
  if (!data && error)
    return (
      <FailureNotice failure={failureOf(error)} onRetry={() => again({ requestPolicy: "network-only" })} />
    );
  if (!data) return <Loading what="your account" />;
  return <MeContext value={meOf(data.me, data.lobby)}>{children}</MeContext>;
}
