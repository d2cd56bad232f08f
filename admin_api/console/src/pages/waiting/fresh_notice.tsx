/** Devices that came in while somebody is at work in the list: held back until they are asked for. */
import { Box, Button } from "@mantine/core";
import { IconArrowUp } from "@tabler/icons-react";

export function FreshNotice({ count, onShow }: { count: number; onShow: () => void }) {
  return (
    <Box role="status" ta="center" mb={count > 0 ? "xs" : 0}>
      {count > 0 && (
        <Button
          variant="light"
          size="xs"
          leftSection={<IconArrowUp size={16} aria-hidden />}
          onClick={onShow}
        >
          {count === 1 ? "1 new device" : `${count.toLocaleString("en")} new devices`}: show
        </Button>
      )}
    </Box>
  );
}
