/**
 * WordPiece: from the left, always the longest token that fits (Schuster & Nakajima 2012). A word that cannot be put
 * together is unknown as a whole.
 *
 * @module
 */
import { type Json, setting, vocabularyOf } from "../definition.ts";
import { countCodePoints } from "../unicode/code_points.ts";
import { type Model, withoutUnknown } from "./model.ts";
import { trieOf } from "./trie.ts";

/** The model of a definition. */
export function wordPiece(definition: Json): Model {
  const vocabulary = vocabularyOf(definition);
  const unknown = setting(definition, "unk_token", "", "[UNK]");
  const prefix = setting(definition, "continuing_subword_prefix", "", "##");
  const most = setting(definition, "max_input_chars_per_word", 0, 100);
  const unknownId = vocabulary.get(unknown);
  const build = () => {
    const trie = trieOf(vocabulary);
    // Tokens that go on a word are those behind the prefix; −1 if there are none.
    let inside = 0;
    for (let i = 0; i < prefix.length && inside >= 0; i++) inside = trie.child(inside, prefix.charCodeAt(i));
    return { trie, inside };
  };
  let built: ReturnType<typeof build> | undefined; // with the first word: texts may be tokenised already
  return {
    vocabulary,
    tokenize(word, ids) {
      const { trie, inside } = built ??= build();
      const first = ids.length;
      let start = word.length > most && countCodePoints(word) > most ? -1 : 0;
      while (start >= 0 && start < word.length) {
        let [id, stop] = [-1, start];
        for (let node = start === 0 ? 0 : inside, end = start; node >= 0 && end < word.length;) {
          node = trie.child(node, word.charCodeAt(end++));
          const value = node < 0 ? -1 : trie.value(node);
          if (value >= 0) [id, stop] = [value, end];
        }
        if (id >= 0) ids.push(id);
        start = id < 0 ? -1 : stop;
      }
      if (start >= 0) return;
      ids.length = first;
      if (unknownId === undefined) throw withoutUnknown(word, unknown);
      ids.push(unknownId);
    },
  };
}
