/**
 * Writes the list of files to precache into the service worker, with a version that changes when any of them
 * changes. Fails the build when the claim page exceeds its budget of 200 kB (gzip, without the scanner).
 * Workbox would write the list too, but it brings Babel and a second bundler.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin, ResolvedConfig, Rollup } from "vite";
import { chunksOf, firstLoad, offline } from "./claim_files.ts";

const WORKER = "sw.js";
const PLACEHOLDER = "__PRECACHE__";
/** Files with fixed names that the page requests. */
const FIXED = ["icon.svg", "manifest.webmanifest"];
const PAGE = "index.html";
export const BUDGET_BYTES = 200_000;

export function serviceWorker(): Plugin {
  let config: ResolvedConfig;
  return {
    name: "service-worker",
    apply: "build",
    enforce: "post",
    configResolved(resolved) {
      config = resolved;
    },
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const chunks = chunksOf(bundle);
        const fixed = FIXED.map((name) => readFileSync(join(config.publicDir, name)));
        const bytes = gzippedBytes([
          ...[PAGE, ...firstLoad(chunks)].map((name) => contentOf(bundle, name)),
          ...fixed,
        ]);
        requireBudget(bytes);
        config.logger.info(`the claim page loads ${bytes} of ${BUDGET_BYTES} bytes, gzip`);
        const assets = offline(chunks);
        const version = versionOf([assets.join(), contentOf(bundle, PAGE), ...fixed]);
        const worker = bundle[WORKER];
        if (worker?.type !== "chunk" || worker.imports.length > 0 || !worker.code.includes(PLACEHOLDER))
          throw new Error(`got no ${WORKER} without imports that contains ${PLACEHOLDER}, want one`);
        const precache = {
          version,
          assets: assets.map((name) => `/${name}`),
          fixed: FIXED.map((name) => `/${name}`),
        };
        worker.code = worker.code.replaceAll(PLACEHOLDER, JSON.stringify(precache));
      },
    },
  };
}

/** Throws if the claim page exceeds its budget. */
export function requireBudget(bytes: number): void {
  if (bytes >= BUDGET_BYTES)
    throw new Error(`got ${bytes} bytes (gzip) that the claim page loads, want less than ${BUDGET_BYTES}`);
}

export function gzippedBytes(files: readonly (string | Uint8Array)[]): number {
  return files.reduce((sum, content) => sum + gzipSync(content, { level: 9 }).length, 0);
}

/** Equal content gives an equal version. */
export function versionOf(contents: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const content of contents) hash.update(createHash("sha256").update(content).digest());
  return hash.digest("hex").slice(0, 16);
}

function contentOf(bundle: Rollup.OutputBundle, name: string): string | Uint8Array {
  const file = bundle[name];
  if (!file) throw new Error(`got a bundle without ${name}, want it`);
  return file.type === "chunk" ? file.code : file.source;
}
