/**
 * How the console is built: one page, one chunk per room, every asset named by its hash. `__CSP_NONCE__` is what the
 * server replaces in each answer. Served by the admin API's own origin; there is no development server, since
 * sign-in leads back to the deployed address only.
 */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { compress } from "./build/compress.ts";
import { serviceWorker } from "./build/service_worker.ts";

export default defineConfig({
  plugins: [react(), serviceWorker(), compress()],
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    sourcemap: false,
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      input: { index: "index.html", sw: "src/service_worker/sw.ts" },
      // The service worker has a name of its own, at the root, so that it serves all of the origin.
      output: { entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
    },
  },
  test: {
    environment: "jsdom",
    include: ["tests/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/setup.ts"],
    testTimeout: 30_000, // a busy machine is no fault; what hangs is
    restoreMocks: true,
    unstubGlobals: true,
  },
});
