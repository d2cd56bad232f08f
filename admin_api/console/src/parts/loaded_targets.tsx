/** Content that needs the targets: loads them, and shows the failure if they cannot be loaded, or that there are none. */
import { Anchor, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { failureOf } from "../api/failures";
import { FailureNotice } from "./failure_notice";
import { Loading } from "./loading";
import { type TargetEntry, useTargets } from "./targets";

interface Props {
  children: (targets: readonly TargetEntry[]) => ReactNode;
}

export function LoadedTargets({ children }: Props) {
  const { targets, error, again } = useTargets();
  if (error && !targets)
    return (
      <FailureNotice failure={failureOf(error)} onRetry={() => again({ requestPolicy: "network-only" })} />
    );
  if (!targets) return <Loading what="targets" />;
  return targets.length === 0 ? <NoTargets /> : children(targets);
}

export function NoTargets() {
  return (
    <Text size="sm">
      There is no target that you can claim for. An admin can register one under{" "}
      <Anchor component={Link} underline="always" href="/targets">
        Targets
      </Anchor>
      .
    </Text>
  );
}
