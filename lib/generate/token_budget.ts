/**
 * Tokens that may be spent. A request sets aside the most it can take before it is sent, so that the budget holds with
 * any number under way.
 *
 * @module
 */
import { counted } from "../counted.ts";
import * as Effect from "effect/Effect";
import * as TxRef from "effect/TxRef";
import { GeneratorError } from "../error.ts";

/** Tokens spent and set aside. */
export interface TokenBudget {
  /**
   * Runs a request that takes at most `tokens` and says what it took, if it came to anything. Waits while too much is
   * set aside by others; fails once what was spent leaves too little.
   */
  readonly spend: <A, E>(
    tokens: number,
    request: Effect.Effect<{ readonly value: A; readonly tokens: number }, E>,
  ) => Effect.Effect<A, E | GeneratorError>;
}

/** A budget of so many tokens, questions and answers together. */
export function makeTokenBudget(limit: number): TokenBudget {
  const ledger = TxRef.makeUnsafe({ spent: 0, reserved: 0 });
  const reserve = (tokens: number): Effect.Effect<void, GeneratorError> =>
    Effect.tx(Effect.gen(function* () {
      const { spent, reserved } = yield* TxRef.get(ledger);
      if (spent + tokens > limit) {
        return yield* Effect.fail(
          new GeneratorError("the budget of tokens would be exceeded", {
            kind: "budget",
            expected: `at most ${counted(limit, "token")}`,
            found: `${spent} spent, and a request that may take ${tokens}`,
            hint:
              "raise the budget, or ask for shorter answers; what is answered is kept if there is a file of answers",
          }),
        );
      }
      if (spent + reserved + tokens > limit) return yield* Effect.txRetry;
      yield* TxRef.set(ledger, { spent, reserved: reserved + tokens });
    }));
  const settle = (reserved: number, spent: number): Effect.Effect<void> =>
    Effect.tx(TxRef.update(ledger, (now) => ({ spent: now.spent + spent, reserved: now.reserved - reserved })));
  return {
    spend: (tokens, request) =>
      Effect.gen(function* () {
        let taken = 0;
        return yield* Effect.acquireUseRelease(
          reserve(tokens),
          () =>
            Effect.map(request, (result) => {
              taken = result.tokens;
              return result.value;
            }),
          () => settle(tokens, taken),
        );
      }),
  };
}
