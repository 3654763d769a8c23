import assert from "node:assert/strict";
import { jsonText, parseJson } from "../../lib/checkpoint/json.ts";

Deno.test("whole numbers with a fraction keep it, also in copies; others have none", () => {
  const text = `{"a": 2.0, "b": 2, "c": 0.5, "d": {"e": 1e3, "f": [1.0, 2]}, "g": "2.0", "h": -0.0}`;
  const value = parseJson(text) as Record<string, unknown>;
  assert.equal(value["a"], 2);
  const { b: _, ...rest } = value;
  assert.equal(
    jsonText({ ...rest, added: 3 }).replaceAll(/\s/g, ""),
    `{"a":2.0,"c":0.5,"d":{"e":1000.0,"f":[1,2]},"g":"2.0","h":0.0,"added":3}`,
  );
});
