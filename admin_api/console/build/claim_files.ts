/**
 * Lists the built files that the claim page needs: on its first load, which has a size budget, and offline,
 * which includes the scanner. Reads the bundle's import graph, so that a new import is always counted.
 */
import type { Rollup } from "vite";

export const CLAIM_PAGE = "src/pages/claim/claim_page.tsx";
/** Part of the shell, loaded on demand. */
export const USER_MENU = "src/shell/user_menu.tsx";

/** A JavaScript chunk and its dependencies, by file name. */
export interface Chunk {
  name: string;
  /** The chunk's entry module, if any. */
  entryModule: string | null;
  isEntry: boolean;
  imports: readonly string[];
  dynamicImports: readonly string[];
  /** Styles and other files whose URL the chunk contains, such as WebAssembly. */
  assets: readonly string[];
}

export function chunksOf(bundle: Rollup.OutputBundle): Chunk[] {
  return Object.values(bundle).flatMap((file) =>
    file.type === "chunk"
      ? [
          {
            name: file.fileName,
            entryModule: file.facadeModuleId,
            isEntry: file.isEntry,
            imports: file.imports,
            dynamicImports: file.dynamicImports,
            assets: [...(file.viteMetadata?.importedCss ?? []), ...(file.viteMetadata?.importedAssets ?? [])],
          },
        ]
      : [],
  );
}

/** The files that the browser fetches for the claim page before the camera starts. */
export function firstLoad(chunks: readonly Chunk[]): string[] {
  return filesOf(
    reachable(chunks, [chunkOf("index.html", chunks), claimChunk(chunks)], ({ imports }) => imports),
  );
}

/** The files needed to scan, claim and queue offline. */
export function offline(chunks: readonly Chunk[]): string[] {
  const chunksToCache = reachable(chunks, [claimChunk(chunks), chunkOf(USER_MENU, chunks)], (chunk) =>
    chunk.isEntry ? chunk.imports : [...chunk.imports, ...chunk.dynamicImports],
  );
  return [...new Set([...firstLoad(chunks), ...filesOf(chunksToCache)])];
}

function claimChunk(chunks: readonly Chunk[]): Chunk {
  return chunkOf(CLAIM_PAGE, chunks);
}

function chunkOf(module: string, chunks: readonly Chunk[]): Chunk {
  const chunk = chunks.find(({ entryModule }) => entryModule?.endsWith(`/${module}`));
  if (!chunk) throw new Error(`got a bundle without a chunk of ${module}, want one`);
  return chunk;
}

function reachable(
  chunks: readonly Chunk[],
  from: readonly Chunk[],
  next: (chunk: Chunk) => readonly string[],
): Set<Chunk> {
  const byName = new Map(chunks.map((chunk) => [chunk.name, chunk]));
  const visited = new Set<Chunk>();
  const pending = [...from];
  for (let chunk = pending.pop(); chunk; chunk = pending.pop()) {
    if (visited.has(chunk)) continue;
    visited.add(chunk);
    pending.push(...next(chunk).flatMap((name) => byName.get(name) ?? []));
  }
  return visited;
}

function filesOf(chunks: Iterable<Chunk>): string[] {
  return [...new Set([...chunks].flatMap(({ name, assets }) => [name, ...assets]))].sort();
}
