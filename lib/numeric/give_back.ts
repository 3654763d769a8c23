/**
 * Memory that is given back before garbage is collected.
 *
 * @module
 */

/**
 * Gives back the memory of arrays that nobody reads any more: a collection of garbage sees how small their objects are, and
 * lets many of them wait.
 *
 * @param arrays With memory of their own; all views of it are empty afterwards.
 */
export function giveBack(...arrays: readonly ArrayBufferView[]): void {
  for (const { buffer } of arrays) (buffer as ArrayBuffer).transfer(0);
}
