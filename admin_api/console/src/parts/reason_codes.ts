/** The reason codes that pages treat in a special way, apart from the texts of all codes, which load later. */

/** A claim waits for a code that the device cannot show, so it does not proceed by itself. */
export const CODE_NOT_SHOWN = "CODE_NOT_SHOWN";

/** Its certificate seems to be in use twice. Its state says nothing about that. */
export const CLONE_SUSPECTED = "CLONE_SUSPECTED";
