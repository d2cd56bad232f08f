/**
 * Tells the service worker which files to keep, under a version that changes with any of them, and holds the claim page to
 * its budget: more than 200 kB of gzip before the scanner, and nothing is built. Workbox would do the first, and bring Babel
 * and a second bundler along for what is one list here.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin, ResolvedConfig, Rollup } from "vite";
import { firstLoad, offline, piecesOf } from "./claim_files.ts";

const WORKER = "sw.js";
const PLACE = "__EDITION__";
/** Files with fixed names that the page asks for. */
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
        const pieces = piecesOf(bundle);
        const fixed = FIXED.map((name) => readFileSync(join(config.publicDir, name)));
        const bytes = gzippedBytes([
          ...[PAGE, ...firstLoad(pieces)].map((name) => contentOf(bundle, name)),
          ...fixed,
        ]);
        requireBudget(bytes);
        config.logger.info(`the claim page loads ${bytes} of ${BUDGET_BYTES} bytes, gzip`);
        const assets = offline(pieces);
        const version = versionOf([assets.join(), contentOf(bundle, PAGE), ...fixed]);
        const worker = bundle[WORKER];
        if (worker?.type !== "chunk" || worker.imports.length > 0 || !worker.code.includes(PLACE))
          throw new Error(`got no ${WORKER} that stands alone and has a place for ${PLACE}, want one`);
        const edition = {
          version,
          assets: assets.map((name) => `/${name}`),
          fixed: FIXED.map((name) => `/${name}`),
        };
        worker.code = worker.code.replaceAll(PLACE, JSON.stringify(edition));
      },
    },
  };
}

/** Throws where the claim page is too large. */
export function requireBudget(bytes: number): void {
  if (bytes >= BUDGET_BYTES)
    throw new Error(`got ${bytes} bytes (gzip) that the claim page loads, want less than ${BUDGET_BYTES}`);
}

export function gzippedBytes(files: readonly (string | Uint8Array)[]): number {
  return files.reduce((sum, content) => sum + gzipSync(content, { level: 9 }).length, 0);
}

/** The same content has the same version. */
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
