/** As much of `node:assert/strict` as the suite of conformance uses, for a page: it has no Node. */

/** What fails. */
export class AssertionError extends Error {}

function fail(message?: string): never {
  throw new AssertionError(message ?? "failed");
}

/** Whether two values are the same, element by element. */
function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const [keysOfA, keysOfB] = [Object.keys(a), Object.keys(b)];
  return keysOfA.length === keysOfB.length &&
    keysOfA.every((key) => key in b && same(a[key as keyof typeof a], b[key as keyof typeof b]));
}

const shown = (value: unknown) => JSON.stringify(value)?.slice(0, 200) ?? String(value);

export default {
  AssertionError,
  fail,
  ok(value: unknown, message?: string): void {
    if (!value) fail(message);
  },
  equal(a: unknown, b: unknown, message?: string): void {
    if (!Object.is(a, b)) fail(`${message ?? "not equal"}: ${shown(a)} ${shown(b)}`);
  },
  deepEqual(a: unknown, b: unknown, message?: string): void {
    if (!same(a, b)) fail(`${message ?? "not equal"}: ${shown(a)} ${shown(b)}`);
  },
  match(text: string, pattern: RegExp): void {
    if (!pattern.test(text)) fail(`${text} does not match ${pattern}`);
  },
  throws(attempt: () => unknown, isRight: (error: unknown) => boolean, message?: string): void {
    try {
      attempt();
    } catch (error) {
      return isRight(error) ? undefined : fail(`${message}: ${error}`);
    }
    fail(`${message} throws nothing`);
  },
};
