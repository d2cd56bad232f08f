/**
 * Colours and sizes. Contrast is at least 4.5:1 in light and dark; touch targets are at least 40 px on a
 * phone.
 */
import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

const lobby: MantineColorsTuple = [
  "#e6fafc",
  "#d0f1f5",
  "#a3e3ea",
  "#72d3de",
  "#4cc5d3",
  "#2fb5c5",
  "#1098ad",
  "#0b7285",
  "#0a6373",
  "#074e5b",
];

export const theme = createTheme({
  primaryColor: "lobby",
  primaryShade: { light: 7, dark: 7 },
  colors: { lobby },
  autoContrast: true,
  defaultRadius: "md",
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', Menlo, Consolas, 'Noto Sans Mono', monospace",
  respectReducedMotion: true,
  components: {
    Modal: {
      defaultProps: {
        closeButtonProps: { "aria-label": "Close" },
        // The header of a dialog is not a second banner of the page.
        attributes: { header: { role: "presentation" } },
      },
    },
    // The focus goes to the first item: an empty placeholder would not be a menu item for screen readers.
    Menu: { defaultProps: { withInitialFocusPlaceholder: false } },
  },
});

const WHITE_ON_RED = {
  "--mantine-color-red-filled": "var(--mantine-color-red-8)",
  "--mantine-color-red-filled-hover": "var(--mantine-color-red-9)",
};

/**
 * Replaces Mantine colours with a contrast under 4.5:1: dimmed text, field errors, dark text on a light
 * background of the same colour, and white text on red.
 */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    ...WHITE_ON_RED,
    "--mantine-color-dimmed": "var(--mantine-color-gray-7)",
    "--mantine-color-placeholder": "#6c757d",
    "--mantine-color-error": "var(--mantine-color-red-9)",
    "--mantine-color-red-light-color": "#b02020",
    "--mantine-color-green-light-color": "#1f6b2e",
    "--mantine-color-teal-light-color": "#066649",
    "--mantine-color-orange-light-color": "#a83a0a",
    "--mantine-color-yellow-light-color": "#8a5a00",
  },
  dark: {
    ...WHITE_ON_RED,
    "--mantine-color-dimmed": "var(--mantine-color-dark-1)",
    "--mantine-color-placeholder": "#9a9a9a",
    "--mantine-color-error": "var(--mantine-color-red-5)",
  },
});
