/** The table: all cases, by subject. */
import type { Case } from "./case.ts";
import { dropouts } from "./cases/dropout.ts";
import { elements } from "./cases/elements.ts";
import { losses } from "./cases/losses.ts";
import { embedding } from "./cases/embedding.ts";
import { forwards } from "./cases/forward.ts";
import { gatedProducts } from "./cases/gated.ts";
import { moves } from "./cases/moves.ts";
import { optimizer } from "./cases/optimizer.ts";
import { activationCases, products } from "./cases/products.ts";
import { int8Layers } from "./cases/int8.ts";
import { norms } from "./cases/norms.ts";
import { rotary } from "./cases/rotary.ts";
import { largest } from "./cases/top_k.ts";
import { poolingCases, sequences } from "./cases/sequences.ts";

export const table: Readonly<Record<string, readonly Case[]>> = {
  "moving": moves,
  "matrix products": products,
  "layers in 8 bits": int8Layers,
  "activations": activationCases,
  "elements and reductions": elements,
  "the largest of each row": largest,
  "embedding": embedding,
  "dropout": dropouts,
  "normalisation": norms,
  "gated products": gatedProducts,
  "rotary positions": rotary,
  "attention": sequences,
  "pooling": poolingCases,
  "cross-entropy": losses,
  "forward passes alone": forwards,
  "optimizer": optimizer,
};
