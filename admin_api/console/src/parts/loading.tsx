import { Center, Loader } from "@mantine/core";

/** A spinner. `what` is announced by screen readers. */
export function Loading({ what }: { what: string }) {
  return (
    <Center mih={160} role="status" aria-label={`Loading ${what}`}>
      <Loader />
    </Center>
  );
}
