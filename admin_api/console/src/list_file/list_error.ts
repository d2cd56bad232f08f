/** A file or a row that cannot be used: "got X, want Y" with the code that `lobbyctl` gives it. */
export class ListError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

const WANT = "a CSV file whose first line names its columns";
export const SAVE_AS = "a CSV file (in a spreadsheet: Save as, CSV UTF-8)";

/** The error for a file that is no list. */
export function unreadable(got: string, want = WANT): ListError {
  return new ListError("UNREADABLE_FILE", `got ${got}, want ${want}`);
}
