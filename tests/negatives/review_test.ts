import assert from "node:assert/strict";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { DatasetError } from "../../lib/error.ts";
import { type Candidates, findCandidates } from "../../lib/negatives/candidates.ts";
import { exportReview, importReview } from "../../lib/negatives/review.ts";
import { embedAngles, pairsOf } from "./vectors.ts";

const corpus = ["c20", 'c30:a "quoted", text', "c40:two\nlines", "c50:=1+1"];

async function withReview(
  f: (
    review: { candidates: Candidates; path: string; lines: string[]; write: (text: string) => void },
  ) => Promise<void>,
): Promise<void> {
  const engine = createCpuEngine({ threads: 1 });
  const pairs = pairsOf(["a0", "p1"], ["b90", "p89:1,2"]);
  const candidates = await findCandidates(engine, pairs, embedAngles, { corpus, count: 9 });
  engine.close();
  const folder = await Deno.makeTempDir();
  const path = `${folder}/review.csv`;
  try {
    assert.equal(await exportReview(candidates, path), 10);
    const text = await Deno.readTextFile(path);
    const lines = text.split("\r\n");
    assert.equal(lines.pop(), "");
    await f({ candidates, path, lines, write: (text) => Deno.writeTextFileSync(path, text) });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const text = (lines: readonly string[], end = "\r\n") => lines.map((line) => line + end).join("");

Deno.test("a file comes back as it was filled in, sorted or in part", () =>
  withReview(async ({ candidates, path, lines, write }) => {
    assert.equal(lines[0], "anchor,positive,candidate,score,answers");
    assert.match(lines[1]!, /^a0,p1,c20,0\.93969\d*,$/);
    assert.match(lines[2]!, /^a0,p1,"c30:a ""quoted"", text",0\.866/);
    assert.match(lines[6]!, /^b90,"p89:1,2",/);
    const untouched = await importReview(candidates, path);
    assert.deepEqual(untouched.verdicts, { yes: 0, no: 0, open: 10 });
    assert.deepEqual([...untouched.negatives.counts], [0, 0]);

    const filled = lines.map((line, i) => i === 0 ? line : line + ["no", "", " YES ", "No"][i % 4]);
    const [head, ...rows] = filled;
    for (const order of [rows, rows.toReversed()]) {
      for (const before of ["", "\ufeff"]) {
        write(before + text([head!, ...order]));
        const { negatives, verdicts } = await importReview(candidates, path);
        assert.deepEqual(verdicts, { yes: 3, no: 4, open: 3 });
        const { anchors, documents, indices, counts, width } = negatives;
        const expected = anchors.map((_, i) =>
          [1, 2, 3, 4, 5].filter((n) => [0, 3].includes((i * 5 + n) % 4)).map((n) =>
            candidates.indices[i * width + n - 1]!
          )
        );
        const found = anchors.map((_, i) => [...indices.subarray(i * width, i * width + counts[i]!)]);
        assert.deepEqual(found, expected);
        assert.ok(found.flat().length === 4 && documents.length === 6);
      }
    }
  }));

Deno.test("line breaks within texts may change as spreadsheets change them", () =>
  withReview(async ({ candidates, path, lines, write }) => {
    write(text(lines).replaceAll(/([^\r])\n/g, "$1\r\n"));
    assert.equal((await importReview(candidates, path)).verdicts.open, 10);
    write(text(lines, "\n"));
    assert.equal((await importReview(candidates, path)).verdicts.open, 10);
  }));

Deno.test("what cannot be taken back is named by its row", () =>
  withReview(async ({ candidates, path, lines, write }) => {
    const refused = (lines: readonly string[], message: RegExp) => {
      write(text(lines));
      return assert.rejects(
        importReview(candidates, path),
        (error: unknown) =>
          error instanceof DatasetError && message.test(`${error.summary}; ${error.where}; ${error.found}`),
      );
    };
    const change = (row: number, f: (line: string) => string) => lines.map((line, i) => i === row ? f(line) : line);
    await refused(
      change(2, (line) => `${line}maybe`),
      /verdict cannot be read; .*review.csv:3, column answers; "maybe"/,
    );
    await refused(change(2, (line) => `${line}0`), /verdict cannot be read/);
    await refused(change(1, (line) => line.replace("c20", "c21")), /was changed; .*:2; "a0", "p1", "c21"/);
    await refused(change(1, (line) => line.replace("p1", "p2")), /was changed; .*:2; "a0", "p2"/);
    await refused([...lines, lines[5]!], /row occurs twice; .*review.csv:14.* and .*:7/);
    await refused(lines.toSpliced(4, 1), /rows are missing; .*9 rows, 1 missing/);
    await refused(change(4, (line) => `${line},`), /wrong number of fields/);
    await refused(lines.map((line) => line.replaceAll(",", ";")), /was changed; .*:3/); // a comma of a text
    const plain = lines.filter((line) => !line.includes('"') && !line.startsWith("b90"));
    await refused(plain.map((line) => line.replaceAll(",", ";")), /rows are missing/);
    await refused(lines.slice(1), /no column anchor/);
    await refused(lines.slice(0, 1), /the dataset is empty/);
    await assert.rejects(importReview(candidates, `${path}.csv`), /no such file/);
  }));

Deno.test("a file that is there is not written over", () =>
  withReview(async ({ candidates, path, lines }) => {
    await assert.rejects(exportReview(candidates, path), /there already/);
    assert.equal(await Deno.readTextFile(path), text(lines));
  }));
