/** From page to page, in either direction as far as that is known, and how long a page is. */
import { Alert, Button, Group, NativeSelect, Text } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { counted } from "../../parts/numbers";
import { orderOf, type Question, SIZES } from "./question";
import { pageBefore } from "./trail";
import type { Page } from "./use_page";

interface Props {
  question: Question;
  page: Page;
  onNext: (cursor: string) => void;
  /** Null: the first page. */
  onBack: (cursor: string | null) => void;
  onSize: (size: number) => void;
}

export function Pager({ question, page, onNext, onBack, onSize }: Props) {
  const { after, size } = question;
  const { next } = page;
  const before = after === null ? undefined : pageBefore(after);
  return (
    <>
      {page.cut && next !== null && <LookFurther found={page.nodes.length} onLook={() => onNext(next)} />}
      <Group justify="space-between" mt="md" gap="sm">
        <Group gap="sm">
          <NativeSelect
            aria-label="Devices on a page"
            value={String(size)}
            onChange={(event) => onSize(Number(event.currentTarget.value))}
            data={SIZES.map((each) => ({ value: String(each), label: `${each} a page` }))}
          />
          <Text size="sm" c="dimmed">
            {orderOf(question)} · {counted(page.nodes.length, "device")} here
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

function LookFurther({ found, onLook }: { found: number; onLook: () => void }) {
  return (
    <Alert role="status" color="blue" mt="sm" py="xs">
      <Group justify="space-between" gap="xs">
        <Text size="sm" flex="1 1 14rem">
          {found === 0 ? "Nothing was found so far" : `${counted(found, "device")} found so far`}: only a part
          of the devices has been looked through.
        </Text>
        <Button size="xs" onClick={onLook}>
          Look further
        </Button>
      </Group>
    </Alert>
  );
}
