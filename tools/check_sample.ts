/**
 * Checks that the sample is a real test: the margins of the three losses over the word overlap and the untuned base, mean
 * of seeds 1 to 3. `deno task check:sample [--kernels wasm]`
 *
 * @module
 */
interface Run {
  readonly before: { readonly spearman_cosine: number };
  readonly metrics: { readonly spearman_cosine: number };
  readonly baseline: { readonly jaccard: number; readonly tfidf: number };
}

const cache = await Deno.makeTempDir();

async function run(pipeline: string, seed: number): Promise<{ report: Run; seconds: number }> {
  const started = performance.now();
  const { stdout, code } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      `pipelines/${pipeline}.ts`,
      "--json",
      "--quiet",
      "--seed",
      `${seed}`,
      "--cache-dir",
      cache,
      "--output",
      `${cache}/${pipeline}`,
      ...Deno.args,
    ],
    stderr: "inherit",
  }).output();
  if (code !== 0) Deno.exit(code);
  return { report: JSON.parse(new TextDecoder().decode(stdout)), seconds: (performance.now() - started) / 1000 };
}

let failed = false;
const say = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
for (const pipeline of ["softmax_nli", "cosine_similarity", "multiple_negatives_ranking", "augmented_sbert"]) {
  const runs = [];
  for (const seed of [1, 2, 3]) runs.push(await run(pipeline, seed));
  const after = runs.map(({ report }) => report.metrics.spearman_cosine);
  const { before, baseline } = runs[0]!.report;
  const base = before.spearman_cosine;
  const mean = after.reduce((a, b) => a + b) / after.length;
  const wanted = {
    softmax_nli: base + 0.05,
    cosine_similarity: base + 0.1,
    augmented_sbert: Math.max(baseline.jaccard, baseline.tfidf) + 0.1,
    multiple_negatives_ranking: Math.max(baseline.jaccard, baseline.tfidf) + 0.1,
  }[pipeline]!;
  const right = mean >= wanted && Math.min(...after) >= base;
  failed ||= !right;
  say(
    `${right ? "ok  " : "FAIL"} ${pipeline}: ${after.map((x) => x.toFixed(4)).join(" ")}, mean ${
      mean.toFixed(4)
    }, wanted ${wanted.toFixed(4)} (base ${base.toFixed(4)}); ${
      runs.map(({ seconds }) => seconds.toFixed(0)).join(" ")
    } s`,
  );
}
await Deno.remove(cache, { recursive: true });
Deno.exit(failed ? 1 : 0);
