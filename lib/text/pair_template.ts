/**
 * What a tokenizer puts around two texts that are one sequence.
 *
 * @module
 */

/** Special tokens and their types (segments). */
export interface TemplatePart {
  /** Token ids. */
  readonly ids: readonly number[];
  /** Their types. */
  readonly typeIds: readonly number[];
}

/** What stands around two texts that are one sequence. */
export interface PairTemplate {
  /** Before the first text. */
  readonly before: TemplatePart;
  /** Type of the first text's tokens. */
  readonly firstType: number;
  /** Between the two. */
  readonly between: TemplatePart;
  /** Type of the second text's tokens. */
  readonly secondType: number;
  /** Behind the second text. */
  readonly behind: TemplatePart;
  /** Of texts that are too long the beginning gives way, not the end. Default false. */
  readonly cutsStart?: boolean;
}

/** The same template with all types 0: for models that know one type or none. */
export function withoutTypes(template: PairTemplate): PairTemplate {
  const part = ({ ids }: TemplatePart): TemplatePart => ({ ids, typeIds: ids.map(() => 0) });
  return {
    ...template,
    before: part(template.before),
    firstType: 0,
    between: part(template.between),
    secondType: 0,
    behind: part(template.behind),
  };
}

/** How many special tokens a pair has. */
export function specialTokens({ before, between, behind }: PairTemplate): number {
  return before.ids.length + between.ids.length + behind.ids.length;
}
