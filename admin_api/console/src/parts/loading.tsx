import { Center, Loader } from "@mantine/core";

/** Something is on its way. `what` is for those who cannot see it turn. */
export function Loading({ what }: { what: string }) {
  return (
    <Center mih={160} role="status" aria-label={`Loading ${what}`}>
      <Loader />
    </Center>
  );
}
