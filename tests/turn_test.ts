import assert from "node:assert/strict";
import { turn } from "../lib/turn.ts";

Deno.test("a server answers beside long work", async () => {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("here"));
  let [answers, isOver] = [0, false];
  const asking = (async () => {
    while (!isOver) {
      await (await fetch(`http://127.0.0.1:${server.addr.port}/`)).text();
      answers++;
    }
  })();
  for (let i = 0; i < 60; i++) {
    const end = performance.now() + 20;
    while (performance.now() < end);
    await turn();
  }
  isOver = true;
  const during = answers;
  await asking;
  await server.shutdown();
  assert.ok(during >= 6, `${during} answers in 60 turns`);
});
