/**
 * Lists the built files that the claim page needs: on its first load, which has a size budget, and offline,
 * which includes the scanner. Reads the bundle's import graph, so that a new import is always counted.
 */
import type { Rollup } from "vite";

export const CLAIM_PAGE = "src/pages/claim/claim_page.tsx";
/** Part of the shell, loaded on demand. */
export const USER_MENU = "src/shell/user_menu.tsx";

/** A JavaScript chunk and its dependencies, by file name. */
export interface Piece {
  name: string;
  /** The chunk's entry module, if any. */
  begins: string | null;
  isEntry: boolean;
  imports: readonly string[];
  dynamicImports: readonly string[];
  /** Styles and other files whose URL the chunk contains, such as WebAssembly. */
  attached: readonly string[];
}

export function piecesOf(bundle: Rollup.OutputBundle): Piece[] {
  return Object.values(bundle).flatMap((file) =>
    file.type === "chunk"
      ? [
          {
            name: file.fileName,
            begins: file.facadeModuleId,
            isEntry: file.isEntry,
            imports: file.imports,
            dynamicImports: file.dynamicImports,
            attached: [
              ...(file.viteMetadata?.importedCss ?? []),
              ...(file.viteMetadata?.importedAssets ?? []),
            ],
          },
        ]
      : [],
  );
}

/** The files that the browser fetches for the claim page before the camera starts. */
export function firstLoad(pieces: readonly Piece[]): string[] {
  return filesOf(
    reached(pieces, [beginningWith("index.html", pieces), claimOf(pieces)], ({ imports }) => imports),
  );
}

/** The files needed to scan, claim and queue offline. */
export function offline(pieces: readonly Piece[]): string[] {
  const wanted = reached(pieces, [claimOf(pieces), beginningWith(USER_MENU, pieces)], (piece) =>
    piece.isEntry ? piece.imports : [...piece.imports, ...piece.dynamicImports],
  );
  return [...new Set([...firstLoad(pieces), ...filesOf(wanted)])];
}

function claimOf(pieces: readonly Piece[]): Piece {
  return beginningWith(CLAIM_PAGE, pieces);
}

function beginningWith(module: string, pieces: readonly Piece[]): Piece {
  const piece = pieces.find(({ begins }) => begins?.endsWith(`/${module}`));
  if (!piece) throw new Error(`got a bundle without a chunk of ${module}, want one`);
  return piece;
}

function reached(
  pieces: readonly Piece[],
  from: readonly Piece[],
  leads: (piece: Piece) => readonly string[],
): Set<Piece> {
  const named = new Map(pieces.map((piece) => [piece.name, piece]));
  const seen = new Set<Piece>();
  const ahead = [...from];
  for (let piece = ahead.pop(); piece; piece = ahead.pop()) {
    if (seen.has(piece)) continue;
    seen.add(piece);
    ahead.push(...leads(piece).flatMap((name) => named.get(name) ?? []));
  }
  return seen;
}

function filesOf(pieces: Iterable<Piece>): string[] {
  return [...new Set([...pieces].flatMap(({ name, attached }) => [name, ...attached]))].sort();
}
