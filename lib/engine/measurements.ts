/**
 * What is measured of a machine once and decided by from then on: the same choice in every process.
 *
 * @module
 */

/** Where measurements are kept from one process to the next. Neither may fail: what is not kept is measured again. */
export interface MeasurementStore {
  /** The text under a key; undefined where there is none, or it cannot be read. */
  readonly read: (key: string) => Promise<string | undefined>;
  /** Keeps it, where that is possible. */
  readonly write: (key: string, text: string) => Promise<void>;
}

/** What was found in this process. */
const known = new Map<string, Promise<unknown>>();

/**
 * A measurement: from this process, from the store, or made now.
 *
 * @param of All that it depends on, as JSON.
 * @param isOne Whether a kept value is such a measurement.
 * @param measure Makes it, as JSON; undefined where nothing can be told, which this process remembers and no store keeps.
 * @param store Where it is kept. Default: in this process alone.
 * @returns The measurement.
 * @throws What `measure` throws; the next call measures again.
 */
export async function findOrMeasure<T>(
  of: readonly unknown[],
  isOne: (value: unknown) => value is T,
  measure: () => Promise<T | undefined>,
  store?: MeasurementStore,
): Promise<T | undefined> {
  const key = JSON.stringify(of);
  const find = async (): Promise<T | undefined> => {
    const kept = valueOf(await store?.read(key), key);
    if (isOne(kept)) return kept;
    const value = await measure();
    if (value !== undefined) await store?.write(key, `${JSON.stringify({ key, value })}\n`);
    return value;
  };
  const found = known.get(key) as Promise<T | undefined> | undefined ?? find();
  known.set(key, found);
  return await found.catch((error) => {
    known.delete(key);
    throw error;
  });
}

/** What a text holds, if it is one of ours for this key. */
function valueOf(text: string | undefined, key: string): unknown {
  if (text === undefined) return undefined;
  try {
    const kept = JSON.parse(text) as { readonly key: unknown; readonly value: unknown };
    return kept.key === key ? kept.value : undefined;
  } catch {
    return undefined; // torn, or another's
  }
}
