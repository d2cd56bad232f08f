/** What has changed in a list while somebody is at work in it: held back until they ask for it. */
import { Box, Button } from "@mantine/core";
import { IconArrowUp } from "@tabler/icons-react";

/** `words` null: nothing has. */
export function FreshNotice({ words, onShow }: { words: string | null; onShow: () => void }) {
  return (
    <Box role="status" ta="center" mb={words === null ? 0 : "xs"}>
      {words !== null && (
        <Button
          variant="light"
          size="xs"
          leftSection={<IconArrowUp size={16} aria-hidden />}
          onClick={onShow}
        >
          {words}: show
        </Button>
      )}
    </Box>
  );
}
