/** Selection in a list of devices with mouse, shift key and keyboard. */
import { type KeyboardEvent, useCallback, useRef, useState } from "react";
import { all, among, clicked, NONE, type Selection } from "./selection";

export interface Selecting {
  chosen: ReadonlySet<string>;
  /** Toggle one device; `range`: and all between it and the last one. */
  click: (certid: string, range: boolean) => void;
  selectAll: (order: readonly string[]) => void;
  clear: () => void;
  /** Set the selectable devices in display order. Others are deselected. */
  follow: (order: readonly string[]) => void;
  /** For the element around the checkboxes, which carry `data-certid`. */
  onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
}

export function useSelection(): Selecting {
  const [selection, setSelection] = useState<Selection>(NONE);
  const shown = useRef<readonly string[]>([]);

  const follow = useCallback((order: readonly string[]) => {
    shown.current = order;
    setSelection((before) => among(before, new Set(order)));
  }, []);
  const click = useCallback(
    (certid: string, range: boolean) =>
      setSelection((before) => clicked(before, certid, shown.current, range)),
    [],
  );
  const selectAll = useCallback((certids: readonly string[]) => setSelection(all(certids)), []);
  const clear = useCallback(() => setSelection(NONE), []);

  const onKeyDown = useCallback(
    (event: KeyboardEvent<HTMLElement>) => {
      const box = event.target instanceof HTMLInputElement ? event.target : null;
      if (event.key === "Escape") clear();
      if (!box?.dataset.certid) return;
      if (event.key.toLowerCase() === "a" && (event.ctrlKey || event.metaKey)) selectAll(shown.current);
      else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        const next = neighbour(event.currentTarget, box, event.key === "ArrowDown" ? 1 : -1);
        next?.focus();
        if (event.shiftKey && next?.dataset.certid && !next.checked) click(next.dataset.certid, false);
      } else return;
      event.preventDefault();
    },
    [clear, click, selectAll],
  );

  return { chosen: selection.chosen, click, selectAll, clear, follow, onKeyDown };
}

function neighbour(list: HTMLElement, box: HTMLInputElement, step: 1 | -1): HTMLInputElement | undefined {
  const boxes = [...list.querySelectorAll<HTMLInputElement>("input[data-certid]:not(:disabled)")];
  return boxes[boxes.indexOf(box) + step];
}
