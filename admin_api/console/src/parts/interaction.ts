/** Whether the user is working in a list: the pointer moves over it, or it has the keyboard focus. */
import { type FocusEvent, useCallback, useEffect, useRef, useState } from "react";

const PAUSE_MS = 3_000;

export interface Interaction {
  interacting: boolean;
  /** For the element around the list. */
  watch: {
    onPointerMove: () => void;
    onPointerDown: () => void;
    onFocus: (event: FocusEvent) => void;
    onBlur: () => void;
  };
}

export function useInteraction(): Interaction {
  const [pointing, setPointing] = useState(false);
  const [focused, setFocused] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  const point = useCallback(() => {
    setPointing(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setPointing(false), PAUSE_MS);
  }, []);
  const focus = useCallback((event: FocusEvent) => setFocused(isByKeyboard(event.target)), []);
  const blur = useCallback(() => setFocused(false), []);
  return {
    interacting: pointing || focused,
    watch: { onPointerMove: point, onPointerDown: point, onFocus: focus, onBlur: blur },
  };
}

function isByKeyboard(element: Element): boolean {
  try {
    return element.matches(":focus-visible");
  } catch {
    return true; // a browser without :focus-visible
  }
}
