/** A notice about changes that are held back while the user works in a list. */
import { Box, Button } from "@mantine/core";
import { IconArrowUp } from "@tabler/icons-react";

/** `text` null: no changes. */
export function UpdateNotice({ text, onShow }: { text: string | null; onShow: () => void }) {
  return (
    <Box role="status" ta="center" mb={text === null ? 0 : "xs"}>
      {text !== null && (
        <Button
          variant="light"
          size="xs"
          leftSection={<IconArrowUp size={16} aria-hidden />}
          onClick={onShow}
        >
          {text} · Show
        </Button>
      )}
    </Box>
  );
}
