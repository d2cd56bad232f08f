/**
 * Which built files the claim page needs: at its first load, which has a budget, and to work without a network, where the
 * scanner comes as well. Follows the bundle's own graph, so a new import cannot be forgotten.
 */
import type { Rollup } from "vite";

export const CLAIM_PAGE = "src/pages/claim/claim_page.tsx";
/** Of the shell, loaded when wanted. */
export const PERSON_MENU = "src/shell/person_menu.tsx";

/** A chunk of JavaScript and what hangs on it; all by file name. */
export interface Piece {
  name: string;
  /** The module that it begins with, where there is one. */
  begins: string | null;
  isEntry: boolean;
  imports: readonly string[];
  dynamicImports: readonly string[];
  /** Styles, and files that it knows the address of, such as WebAssembly. */
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

/** What the browser fetches for the claim page, up to the tap that starts the camera. */
export function firstLoad(pieces: readonly Piece[]): string[] {
  return filesOf(
    reached(pieces, [beginningWith("index.html", pieces), claimOf(pieces)], ({ imports }) => imports),
  );
}

/** What it needs to scan, claim and queue without a network. */
export function offline(pieces: readonly Piece[]): string[] {
  const wanted = reached(pieces, [claimOf(pieces), beginningWith(PERSON_MENU, pieces)], (piece) =>
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
