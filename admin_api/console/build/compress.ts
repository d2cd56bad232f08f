/**
 * Writes a brotli and a gzip copy of each built text or wasm file, because nothing between the Lambda and the
 * browser compresses. Rejects files that exceed a Lambda response (6 MB including base64).
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const COMPRESSED = /\.(js|css|html|svg|wasm|webmanifest|json)$/;
const MAX_BYTES = 4 * 1024 * 1024;

export function compress(): Plugin {
  let directory = "";
  return {
    name: "compress",
    apply: "build",
    configResolved(config) {
      directory = config.build.outDir;
    },
    closeBundle() {
      for (const file of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
        if (!COMPRESSED.test(file)) continue;
        const path = join(directory, file);
        const content = readFileSync(path);
        if (content.length > MAX_BYTES)
          throw new Error(`got ${file} of ${content.length} bytes, want at most ${MAX_BYTES}`);
        if (file.endsWith(".html")) continue; // the server inserts a nonce
        writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
        writeFileSync(
          `${path}.br`,
          brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } }),
        );
      }
    },
  };
}
