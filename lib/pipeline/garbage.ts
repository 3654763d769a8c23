/**
 * Garbage that is collected while rows stream through a command.
 *
 * @module
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Rows between collections. */
const ROWS = 1 << 16;

/**
 * Collects garbage whenever so many rows have passed. Of every chunk some objects have grown old before they are let go;
 * V8 by itself lets such wait until they are several times as much as what is alive. Little is alive: a collection takes
 * some tens of milliseconds, while 65,536 rows take a model many seconds.
 *
 * @returns To be called with the number of rows that have passed so far.
 */
export function rowCollector(): (rows: number) => void {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  let next = ROWS;
  return (rows) => {
    if (rows < next) return;
    next = rows + ROWS;
    collect();
  };
}
