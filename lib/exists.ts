/**
 * Whether something is there.
 *
 * @module
 */

/** Whether there is a file or folder of this path, as far as this process may see. */
export const exists = (path: string): Promise<boolean> => Deno.stat(path).then(() => true, () => false);
