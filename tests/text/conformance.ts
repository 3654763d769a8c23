/** The texts of tests/golden/tokenizers_conformance.py, made anew by the same generator. */

class Random {
  #state: number;
  constructor(seed: number) {
    this.#state = seed;
  }
  /** xorshift32. */
  below(limit: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state % limit;
  }
}

function scalar(random: Random): string {
  const kind = random.below(8);
  const code = kind < 3
    ? random.below(0x500)
    : kind < 5
    ? random.below(0x3100)
    : kind < 6
    ? random.below(0x10000)
    : kind < 7
    ? 0x10000 + random.below(0x20000)
    : random.below(0x110000);
  return code >= 0xd800 && code <= 0xdfff ? "?" : String.fromCodePoint(code);
}

const isLongRun = (code: number) =>
  (code >= 0x3500 && code < 0x9f00) || (code >= 0xac80 && code < 0xd700) || (code >= 0x13100 && code < 0x16800) ||
  (code >= 0x17100 && code < 0x18c00);

/** All texts: code points in turn, then pieces and characters at random. */
export function conformanceTexts(pieces: readonly string[], count: number): string[] {
  const texts: string[] = [];
  for (let code = 0; code < 0x1f000;) {
    let text = "";
    for (let i = 0; i < 48; i++) {
      if (code >= 0xd800 && code <= 0xdfff) code = 0xe000;
      else if (isLongRun(code)) code += 61;
      text += (code % 3 ? "a" : " ") + String.fromCodePoint(code);
      code++;
    }
    texts.push(text);
  }
  const random = new Random(2463534242);
  while (texts.length < count) {
    let text = "";
    for (let i = 1 + random.below(9); i > 0; i--) {
      const kind = random.below(4);
      if (kind < 2) text += pieces[random.below(pieces.length)];
      else if (kind < 3) text += " " + pieces[random.below(pieces.length)];
      else for (let j = 1 + random.below(6); j > 0; j--) text += scalar(random);
    }
    texts.push(text);
  }
  return texts;
}
