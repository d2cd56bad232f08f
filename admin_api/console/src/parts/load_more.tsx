/** The end of a list that is loaded page by page: the failure of a page, and a button for the next. */
import { Button, Center, Stack } from "@mantine/core";
import { FailureNotice } from "./failure_notice";
import type { Pages } from "./use_pages";

interface Props {
  pages: Pages<unknown> & { more: () => void; refresh: () => void };
}

export function LoadMore({ pages: { entries, next, busy, failure, more, refresh } }: Props) {
  const isFirst = entries === undefined;
  return (
    <Stack mt="md">
      {failure && <FailureNotice failure={failure} onRetry={isFirst || next === null ? refresh : more} />}
      {next !== null && !failure && (
        <Center>
          <Button variant="default" loading={busy} onClick={more}>
            Load more
          </Button>
        </Center>
      )}
    </Stack>
  );
}
