import type { TrainingRecord } from "../../lib/train/record.ts";

/** What a record tells that depends on neither clock nor memory. */
export function course({ log, seconds: _, pending, ...record }: TrainingRecord): object {
  return {
    ...record,
    pending: { ...pending, seconds: 0 },
    log: log.map((entry) => ({ ...entry, tokens_per_second: 0, engine_bytes: 0, process_bytes: 0 })),
  };
}
