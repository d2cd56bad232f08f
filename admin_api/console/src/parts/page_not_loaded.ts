/** A page's files cannot be loaded: the network is down, or a newer deployment has removed them. */
export class PageNotLoaded extends Error {
  constructor(cause: unknown) {
    super("got no files of the page, want them", { cause });
  }
}
