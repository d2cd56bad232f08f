/**
 * How the console is built: one page, one chunk per room, every asset named by its hash. `__CSP_NONCE__` is what the
 * server replaces in each answer. Served by the admin API's own origin; there is no development server, since
 * sign-in leads back to the deployed address only.
 */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { compress } from "./build/compress.ts";

export default defineConfig({
  plugins: [react(), compress()],
  html: { cspNonce: "__CSP_NONCE__" },
  build: { target: "es2022", assetsInlineLimit: 0, sourcemap: false, chunkSizeWarningLimit: 700 },
  test: {
    environment: "jsdom",
    include: ["tests/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/setup.ts"],
    restoreMocks: true,
    unstubGlobals: true,
  },
});
