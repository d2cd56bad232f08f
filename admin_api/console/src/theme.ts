/** Colours and sizes. Contrast of at least 4.5:1 in light and dark; nothing to touch is under 40 px on a phone. */
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
});

/** Mantine's own grey for lesser words is too light to read in the sun. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: { "--mantine-color-dimmed": "var(--mantine-color-gray-7)" },
  dark: { "--mantine-color-dimmed": "var(--mantine-color-dark-1)" },
});
