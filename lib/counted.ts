/**
 * A number of things in words: 1 row, 2 rows.
 *
 * @module
 */

/**
 * A number and what is counted, in the singular or the plural.
 *
 * @param count How many.
 * @param one What one of them is called; the plural follows from it: rows, classes, queries.
 * @returns Such as `1 row`.
 */
export function counted(count: number | bigint, one: string): string {
  return `${count} ${Number(count) === 1 ? one : pluralOf(one)}`;
}

function pluralOf(one: string): string {
  if (/[^aeiou]y$/.test(one)) return `${one.slice(0, -1)}ies`;
  return /(s|x|ch|sh)$/.test(one) ? `${one}es` : `${one}s`;
}
