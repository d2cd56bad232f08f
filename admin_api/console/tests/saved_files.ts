/** Records the files that a page saves. jsdom has no downloads, so the browser's side of `saveFile` is replaced. */
import { afterEach, beforeEach, vi } from "vitest";

interface SavedFile {
  name: string;
  type: string;
  text: string;
}

/** Returns the files that the current test has saved. Call it once, at the top of a test file. */
export function savedFiles(): SavedFile[] {
  const files: SavedFile[] = [];
  const blobs = new Map<string, Blob>();
  beforeEach(() => {
    files.length = 0;
    Object.assign(URL, {
      createObjectURL: (blob: Blob) => {
        const address = `blob:${blobs.size}`;
        blobs.set(address, blob);
        return address;
      },
      revokeObjectURL: () => {},
    });
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(async function (
      this: HTMLAnchorElement,
    ) {
      const blob = blobs.get(this.href);
      if (blob) files.push({ name: this.download, type: blob.type, text: await textOf(blob) });
    });
  });
  afterEach(() => blobs.clear());
  return files;
}

function textOf(blob: Blob): Promise<string> {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.readAsText(blob);
  });
}
