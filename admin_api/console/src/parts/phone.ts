/** Whether the screen is a phone's: tables are cards there, dialogs fill it. The same width as Mantine's `sm`. */
import { useMediaQuery } from "@mantine/hooks";

export function usePhone(): boolean {
  return useMediaQuery("(max-width: 47.99em)", false, { getInitialValueInEffect: false });
}
