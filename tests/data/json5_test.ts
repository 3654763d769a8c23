import assert from "node:assert/strict";
import { parseJson5 } from "../../lib/data/json5.ts";
import { DatasetError } from "../../lib/error.ts";

Deno.test("parseJson5() reads JSON as it is", () => {
  const value = { a: [1, -2.5e3, true, false, null, 'x"\\\n\u00e9'], b: { c: {} }, "d e": [] };
  assert.deepEqual(parseJson5(JSON.stringify(value)), value);
  assert.deepEqual(parseJson5(JSON.stringify(value, null, 2)), value);
});

Deno.test("parseJson5() reads what JSON5 adds", () => {
  assert.deepEqual(
    parseJson5(`// a comment
    {
      $name: 'it''s'.length, /* not so */
    }`.replace("'it''s'.length", "'it\\'s'")),
    { $name: "it's" },
  );
  assert.deepEqual(parseJson5("[+1, -.5, 5., 0xFF, -Infinity, NaN, 'a\\\nb', '\\x41\\v',]"), [
    1,
    -.5,
    5,
    255,
    -Infinity,
    NaN,
    "ab",
    "A\v",
  ]);
  assert.deepEqual(parseJson5("{ключ: 1, _a1: {b: 2,},}"), { ключ: 1, _a1: { b: 2 } });
});

Deno.test("parseJson5() says where it stopped", () => {
  const wrong: [string, RegExp][] = [
    ["{a: 1,\n b 2}", /:2:4$/],
    ["[1 2]", /:1:4$/],
    ["'open", /:1:6$/],
    ["", /:1:1$/],
    ["{} x", /:1:4$/],
    ["truex", /:1:1$/],
    ["'\\u12'", /:1:4$/],
  ];
  for (const [text, where] of wrong) {
    assert.throws(() => parseJson5(text, "t.json"), (error: DatasetError) => {
      assert.ok(error instanceof DatasetError, text);
      assert.match(error.where!, where, text);
      return true;
    });
  }
  assert.deepEqual(parseJson5('{"__proto__": 1}'), Object.fromEntries([["__proto__", 1]]));
});
