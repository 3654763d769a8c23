import assert from "node:assert/strict";
import { findOrMeasure } from "../../lib/engine/measurements.ts";
import { inMemory } from "./machine.ts";

const isNumber = (value: unknown): value is number => typeof value === "number";

Deno.test("a measurement is made once in a process, also where two ask at once, and kept", async () => {
  const store = inMemory();
  let made = 0;
  const ask = () => findOrMeasure(["once"], isNumber, () => Promise.resolve(++made), store);
  assert.deepEqual(await Promise.all([ask(), ask()]), [1, 1]);
  assert.equal(await ask(), 1);
  assert.deepEqual([...store.texts], [['["once"]', '{"key":"[\\"once\\"]","value":1}\n']]);
});

Deno.test("a kept one is taken; what is torn, of another key or no such value is measured anew and replaced", async () => {
  const texts: [string, string, number][] = [
    ["whole", '{"key":"[\\"whole\\"]","value":7}', 7],
    ["torn", '{"key":"[\\"torn\\"]","val', 1],
    ["another's", '{"key":"[\\"whole\\"]","value":7}', 1],
    ["no number", '{"key":"[\\"no number\\"]","value":"7"}', 1],
    ["nothing", "null", 1],
  ];
  for (const [name, text, expected] of texts) {
    const store = inMemory([[JSON.stringify([name]), text]]);
    assert.equal(await findOrMeasure([name], isNumber, () => Promise.resolve(1), store), expected, name);
    const kept = JSON.parse(store.texts.get(JSON.stringify([name]))!);
    assert.deepEqual(kept, { key: JSON.stringify([name]), value: expected }, name);
  }
});

Deno.test("a measurement that fails is made again; one that tells nothing is not, and is not kept", async () => {
  const store = inMemory();
  const fails = () => findOrMeasure(["fails"], isNumber, () => Promise.reject(new Error("lost")), store);
  await assert.rejects(fails, /lost/);
  assert.equal(await findOrMeasure(["fails"], isNumber, () => Promise.resolve(2), store), 2);
  let asked = 0;
  const none = () => findOrMeasure(["none"], isNumber, () => Promise.resolve(void asked++), store);
  assert.deepEqual([await none(), await none(), asked], [undefined, undefined, 1]);
  assert.equal(store.texts.size, 1);
});
