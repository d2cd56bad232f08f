/**
 * Text that devices and users chose. It stays in its own box: text from right to left does not reorder
 * adjacent text, and stacked combining marks do not cover it.
 */
import type { ReactNode } from "react";
import classes from "./foreign_text.module.css";

export function ForeignText({ children }: { children: ReactNode }) {
  return (
    <bdi dir="auto" className={classes.foreign}>
      {children}
    </bdi>
  );
}

/** The same for text that becomes part of a longer string (Unicode, UAX 9: FSI and PDI). ASCII needs none. */
export function isolated(text: string): string {
  if (/^[ -~]*$/.test(text)) return text;
  return `\u2068${text}\u2069`;
}
