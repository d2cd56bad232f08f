/** The message of a picker whose choices could not be loaded, with a button to load them again. */
import { Anchor } from "@mantine/core";
import type { CombinedError } from "@urql/core";
import type { ReactNode } from "react";
import { failureOf, titleOf } from "../api/failures";

interface Answer {
  /** What was loaded, now or before. */
  loaded: unknown;
  error: CombinedError | undefined;
  again: (options: { requestPolicy: "network-only" }) => void;
}

/** Undefined unless the choices are missing. `what` names them: "targets". */
export function notLoaded(what: string, { loaded, error, again }: Answer): ReactNode {
  if (!error || loaded) return undefined;
  const { code, message } = failureOf(error);
  return (
    <span role="alert">
      The {what} could not be loaded. {titleOf(code)}: {message}{" "}
      <Anchor
        component="button"
        type="button"
        size="xs"
        underline="always"
        onClick={() => again({ requestPolicy: "network-only" })}
      >
        Try again
      </Anchor>
    </span>
  );
}
