/**
 * A token for each word that is known, and one for all others.
 *
 * @module
 */
import { type Json, setting, vocabularyOf } from "../definition.ts";
import { type Model, withoutUnknown } from "./model.ts";

/** The model of a definition. */
export function wordLevel(definition: Json): Model {
  const vocabulary = vocabularyOf(definition);
  const unknown = setting(definition, "unk_token", "", "<unk>");
  const unknownId = vocabulary.get(unknown);
  return {
    vocabulary,
    tokenize(word, ids) {
      const id = vocabulary.get(word) ?? unknownId;
      if (id === undefined) throw withoutUnknown(word, unknown);
      ids.push(id);
    },
  };
}
