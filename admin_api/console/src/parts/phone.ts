/**
 * Whether the screen is a phone's: tables become cards, dialogs fill the screen. The same width as Mantine's
 * `sm`.
 */
import { useMediaQuery } from "@mantine/hooks";

export function usePhone(): boolean {
  return useMediaQuery("(max-width: 47.99em)", false, { getInitialValueInEffect: false });
}
