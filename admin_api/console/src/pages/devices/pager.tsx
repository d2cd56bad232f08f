/** Navigation between pages, and the page size. */
import { Alert, Button, Group, NativeSelect, Text } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { pluralize } from "../../parts/numbers";
import { type ListQuery, orderOf, SIZES } from "./list_query";
import { pageBefore, startOf } from "./page_trail";
import { positionText } from "./position";
import type { Page } from "./use_page";

interface Props {
  query: ListQuery;
  page: Page;
  /** The number of devices of the query, if it is known. */
  total: number | undefined;
  /** The column by which the user has sorted the page. */
  sort: string | undefined;
  onNext: (cursor: string) => void;
  /** Null: the first page. */
  onBack: (cursor: string | null) => void;
  onSize: (size: number) => void;
}

export function Pager({ query, page, total, sort, onNext, onBack, onSize }: Props) {
  const { after, size } = query;
  const { next } = page;
  const before = after === null ? undefined : pageBefore(after);
  return (
    <>
      {page.cut && next !== null && <ContinueSearch found={page.nodes.length} onLook={() => onNext(next)} />}
      <Group justify="space-between" mt="md" gap="sm">
        <Group gap="sm">
          <NativeSelect
            aria-label="Devices per page"
            value={String(size)}
            onChange={(event) => onSize(Number(event.currentTarget.value))}
            data={SIZES.map((each) => ({ value: String(each), label: `${each} per page` }))}
          />
          <Text size="sm" c="dimmed">
            {positionText(page.nodes.length, startOf(after), next === null, total)} · {orderOf(query)}
            {sort !== undefined && ` · This page by ${sort}`}
          </Text>
        </Group>
        <Group gap="xs" component="nav" aria-label="Pages" ml="auto">
          <Button
            variant="default"
            disabled={after === null}
            leftSection={<IconChevronLeft size={16} aria-hidden />}
            onClick={() => onBack(before ?? null)}
          >
            {after !== null && before === undefined ? "First page" : "Previous"}
          </Button>
          <Button
            variant="default"
            disabled={next === null}
            rightSection={<IconChevronRight size={16} aria-hidden />}
            onClick={() => next !== null && onNext(next)}
          >
            Next
          </Button>
        </Group>
      </Group>
    </>
  );
}

function ContinueSearch({ found, onLook }: { found: number; onLook: () => void }) {
  return (
    <Alert role="status" color="blue" mt="sm" py="xs">
      <Group justify="space-between" gap="xs">
        <Text size="sm" flex="1 1 14rem">
          {found === 0 ? "Nothing found so far" : `${pluralize(found, "device")} found so far`}. Only part of
          the ledger has been searched.
        </Text>
        <Button size="xs" onClick={onLook}>
          Continue search
        </Button>
      </Group>
    </Alert>
  );
}
