/**
 * The console's build: one page, one chunk per page component, hashed asset names. The server replaces
 * `__CSP_NONCE__` in each response. There is no development server, because sign-in returns only to the
 * deployed address.
 */
import { readdirSync, readFileSync } from "node:fs";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { compress } from "./build/compress.ts";
import { serviceWorker } from "./build/service_worker.ts";

const testFiles = readdirSync("tests", { recursive: true, encoding: "utf8" })
  .map((name) => `tests/${name}`)
  .filter((name) => /\.test\.tsx?$/.test(name));
const filesWith = (pattern: RegExp) => testFiles.filter((name) => pattern.test(readFileSync(name, "utf8")));

/** Test files that need modules of their own: they replace modules, or the browser's storage before a module opens it. */
const special = filesWith(/vi\.mock\(|fake-indexeddb|\/(phone|claim_queue_fixtures)"/);

/** Those of them that replace the same modules: the camera's and the storage. */
const phone = filesWith(/\/phone"/);

/** All other files of a worker share one copy of React, Mantine and the console, which takes a second per file to load. */
const shared = { isolate: false };

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
      // The service worker has a fixed name at the root, so that it covers the whole origin.
      output: { entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
    },
  },
  test: {
    environment: "jsdom",
    projects: [
      {
        extends: true,
        test: { name: "shared", include: ["tests/**/*.test.{ts,tsx}"], exclude: special, ...shared },
      },
      { extends: true, test: { name: "phone", include: phone, ...shared } },
      { extends: true, test: { name: "isolated", include: special.filter((name) => !phone.includes(name)) } },
    ],
    tags: [
      {
        name: "full",
        description: "only in the full tier of test.sh: slow, and another test shows the same",
      },
    ],
    setupFiles: ["tests/setup.ts"],
    testTimeout: 30_000, // slow machines need more time
    restoreMocks: true,
    unstubGlobals: true,
  },
});
