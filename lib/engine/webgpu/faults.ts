/**
 * What goes wrong on a device: it says so later, by itself, and the host hears of it where it looks next.
 *
 * @module
 */
import { EngineError } from "../../error.ts";

/** What is wrong so far. */
export interface Faults {
  /** Puts a fault down, and gives the first one back: what follows a fault is of no use. */
  readonly fail: (error: EngineError) => EngineError;
  /** Throws the first fault, if there is one. */
  readonly check: () => void;
  /** Does something on the device, and puts down what the device has to say about it. */
  readonly watch: <A>(f: () => A, describe: (found: string, isMemory: boolean) => EngineError) => A;
  /** Waits until the device has answered for all that was watched. */
  readonly settled: () => Promise<void>;
}

const FILTERS = ["validation", "out-of-memory", "internal"] as const;

/**
 * Listens to a device.
 *
 * @param device Which.
 * @param kernelOf The kernel that a message of the device names, if there is one.
 * @param lastKernel The one that was started last.
 * @returns Its faults.
 */
export function watchFaults(
  device: GPUDevice,
  kernelOf: (message: string) => string | undefined,
  lastKernel: () => string | undefined,
): Faults {
  let fault: EngineError | undefined;
  const fail = (error: EngineError) => fault ??= error;
  const asked = new Set<Promise<void>>();
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    const found = (event as GPUUncapturedErrorEvent).error.message.trim();
    fail(refused(found, kernelOf(found)));
  });
  void device.lost.then(({ message, reason }) => {
    const found = message || reason || "no reason given";
    const last = lastKernel();
    const where = last === undefined ? {} : { where: `kernel ${last}, or one before it` };
    fail(new EngineError("the device was lost", { found, ...where, hint: "--engine cpu" }));
  });
  return {
    fail,
    check() {
      if (fault !== undefined) throw fault;
    },
    watch(f, describe) {
      for (const filter of FILTERS) device.pushErrorScope(filter);
      try {
        return f();
      } finally {
        const answers = FILTERS.map(() => device.popErrorScope());
        const answer = Promise.all(answers).then((errors) => {
          for (const error of errors) {
            if (error !== null) fail(describe(error.message.trim(), error instanceof GPUOutOfMemoryError));
          }
        }, () => {}); // a device that is lost says so itself
        asked.add(answer);
        void answer.then(() => asked.delete(answer));
      }
    },
    async settled() {
      await Promise.all(asked);
    },
  };
}

/** The device did not do what it was asked for. */
export function refused(found: string, kernel?: string): EngineError {
  return new EngineError("the device refused what the webgpu engine asked for", {
    found,
    ...(kernel !== undefined && { where: `kernel ${kernel}` }),
  });
}

/** There is no memory left for what a kernel, or a tensor, needs. */
export function outOfMemory(found: string, where?: string): EngineError {
  return new EngineError("the device has no memory left", {
    found,
    ...(where !== undefined && { where }),
    hint: "a smaller --batch-size, or --engine cpu",
  });
}
