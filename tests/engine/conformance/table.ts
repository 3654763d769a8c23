/** The table: all cases, by subject. */
import type { Case } from "./case.ts";
import { elements } from "./cases/elements.ts";
import { losses } from "./cases/losses.ts";
import { modernCases } from "./cases/modern.ts";
import { moves } from "./cases/moves.ts";
import { optimizer } from "./cases/optimizer.ts";
import { activationCases, products } from "./cases/products.ts";
import { rows } from "./cases/rows.ts";
import { poolingCases, sequences } from "./cases/sequences.ts";

export const table: Readonly<Record<string, readonly Case[]>> = {
  "moving": moves,
  "matrix products": products,
  "activations": activationCases,
  "elements and reductions": elements,
  "embedding, normalisation, dropout": rows,
  "attention": sequences,
  "pooling": poolingCases,
  "rotary positions, gated products, RMS norm, top-k": modernCases,
  "cross-entropy": losses,
  "optimizer": optimizer,
};
