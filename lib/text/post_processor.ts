/**
 * What stands around a text, and around two texts that are one sequence: the post-processors of `tokenizer.json`.
 *
 * @module
 */
import { TokenizerError } from "../error.ts";
import { type Json, list, object, refuse } from "./definition.ts";
import type { PairTemplate, TemplatePart } from "./pair_template.ts";

/** What stands around one text, and around two. */
export interface Templates {
  /** Ids before a text. */
  readonly before: readonly number[];
  /** Ids behind it. */
  readonly behind: readonly number[];
  /** Around two texts. */
  readonly pair: PairTemplate;
}

const NOTHING: TemplatePart = { ids: [], typeIds: [] };
/** Without a post-processor, two texts follow each other. */
const BARE: Templates = {
  before: [],
  behind: [],
  pair: { before: NOTHING, firstType: 0, between: NOTHING, secondType: 1, behind: NOTHING },
};

/** The templates of a definition. */
export function templatesOf(definition: unknown): Templates {
  if (definition === null || definition === undefined) return BARE;
  const part = object(definition, "the post-processor");
  switch (part["type"]) {
    case "ByteLevel": // only trims offsets
      return BARE;
    case "Sequence": {
      const all = list(part["processors"], "the post-processors").map((one) => object(one, "a post-processor"));
      const adding = all.filter((one) => one["type"] !== "ByteLevel");
      if (adding.length > 1) refuse("several post-processors in a row", adding.map((one) => one["type"]).join(", "));
      return templatesOf(adding[0]);
    }
    case "BertProcessing": {
      const [cls, sep] = [special(part, "cls"), special(part, "sep")];
      return fixed([cls], [sep], [sep], 1);
    }
    case "RobertaProcessing": {
      const [cls, sep] = [special(part, "cls"), special(part, "sep")];
      return fixed([cls], [sep], [sep, sep], 0);
    }
    case "TemplateProcessing":
      return template(part);
    default:
      return refuse(`the post-processor ${part["type"]}`, String(part["type"]));
  }
}

function special(part: Json, key: string): number {
  const [, id] = list(part[key], `${key} of ${part["type"]}`);
  if (Number.isInteger(id) && (id as number) >= 0) return id as number;
  throw new TokenizerError(`${key} of ${part["type"]} has no id`, { found: JSON.stringify(part[key]) });
}

function fixed(cls: number[], sep: number[], between: number[], secondType: number): Templates {
  const part = (ids: number[], type: number) => ({ ids, typeIds: ids.map(() => type) });
  return {
    before: cls,
    behind: sep,
    pair: {
      before: part(cls, 0),
      firstType: 0,
      between: part(between, 0),
      secondType,
      behind: part(sep, secondType),
    },
  };
}

/** Pieces of a template before, between and behind its sequences, with the types of the sequences. */
function template(part: Json): Templates {
  const tokens = object(part["special_tokens"] ?? {}, "the special tokens of TemplateProcessing");
  const read = (key: string, sequences: string) => {
    const gaps: { ids: number[]; typeIds: number[] }[] = [{ ids: [], typeIds: [] }];
    const types: number[] = [];
    let order = "";
    for (const value of list(part[key], `${key} of TemplateProcessing`)) {
      const piece = object(value, `a piece of ${key}`);
      const [name, body] = Object.entries(piece)[0] ?? ["nothing", {}];
      const { id, type_id: type } = object(body, `a piece of ${key}`) as { id?: string; type_id?: number };
      if (name === "Sequence") {
        order += id;
        types.push(type ?? 0);
        gaps.push({ ids: [], typeIds: [] });
        continue;
      }
      if (name !== "SpecialToken") return refuse(`a piece of this kind in ${key}`, name, "Sequence, SpecialToken");
      const ids = list(object(tokens[id ?? ""], `the special token ${id}`)["ids"], `ids of ${id}`) as number[];
      gaps.at(-1)!.ids.push(...ids);
      gaps.at(-1)!.typeIds.push(...ids.map(() => type ?? 0));
    }
    if (order !== sequences) return refuse(`a template of ${key} with sequences in this order`, order, sequences);
    return { gaps, types };
  };
  const single = read("single", "A");
  const pair = read("pair", "AB");
  return {
    before: single.gaps[0]!.ids,
    behind: single.gaps[1]!.ids,
    pair: {
      before: pair.gaps[0]!,
      firstType: pair.types[0]!,
      between: pair.gaps[1]!,
      secondType: pair.types[1]!,
      behind: pair.gaps[2]!,
    },
  };
}
