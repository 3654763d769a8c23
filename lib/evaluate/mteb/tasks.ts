/**
 * Tasks of the benchmark, as mteb 2.26 defines them: datasets and their commits, splits, languages, settings.
 *
 * Left out are tasks whose data are drawn with numpy's newer generator (StackExchangeClustering.v2, RedditClustering.v2,
 * ToxicConversations, ArXivHierarchical), composed ones (CQADupstack, MindSmallReranking), and BUCC's first version.
 *
 * @module
 */
import * as Yaml from "effect/encoding/Yaml";
import { UsageError } from "../../error.ts";
import { nearestNames } from "./names.ts";
import { type MtebTask, parseTask } from "./task.ts";

/** A type, and below it its tasks: name, dataset at a commit, and what differs from the defaults. */
const TABLE = `
Classification
  Banking77Classification mteb/banking77@0fd18e25b25c072e09e0d92ab615fda904d66300
  Banking77Classification.v2 mteb/banking77@18072d2685ea682290f7b8924d94c62acc19c0b2
  EmotionClassification mteb/emotion@4f58c6b202a23cf9a4da393831edf4f9183cad37 {samples_per_label: 16}
  EmotionClassification.v2 mteb/emotion@13535ec7ed83ac3920c40db3c3fd4133af55cc06 {samples_per_label: 16}
  AmazonCounterfactualClassification mteb/amazon_counterfactual@1f7e6a9d6fa6e64c53d146e428565640410c0df1 {samples_per_label: 32, eval_splits: ["validation", "test"]}
  AmazonPolarityClassification mteb/amazon_polarity@e2d317d38cd51312af73b3d32a06d1a08b442046
  AmazonReviewsClassification mteb/AmazonReviewsClassification@6b5d328eaae8ef408dd7d775040245cf86f92e9d {eval_splits: ["validation", "test"]}
  ImdbClassification mteb/imdb@3d86128a09e091d6018b6d26cad27f2739fc2db7
  ImdbClassification.v2 mteb/imdb@d05f0155defa7991dad75bc68c5ccb6774b1fdc5
  TweetSentimentExtractionClassification mteb/tweet_sentiment_extraction@d604517c81ca91fe16a244d1248fc021f9ecee7a {samples_per_label: 32}
  TweetSentimentExtractionClassification.v2 mteb/tweet_sentiment_extraction@7261898ee3b9a739595e8dbf41df6b2332f429bb {samples_per_label: 32}
  MTOPDomainClassification mteb/MTOPDomainClassification@a76d16fae880597b9c73047b50159220a441cb54 {eval_splits: ["validation", "test"]}
  MTOPIntentClassification mteb/MTOPIntentClassification@2992d820f31312593c49a4890430aadadb0f0039 {eval_splits: ["validation", "test"]}
  MassiveIntentClassification mteb/amazon_massive_intent@4672e20407010da34463acc759c162ca9734bca6 {eval_splits: ["validation", "test"]}
  MassiveScenarioClassification mteb/amazon_massive_scenario@fad2c6e8459f9e1c45d9315f4953d921437d70f8 {eval_splits: ["validation", "test"]}
  TweetTopicSingleClassification mteb/TweetTopicSingleClassification@b4280e921a2760ce34d2dd80a9e5dc8bcbf61785 {train_split: "train_2021", eval_splits: ["test_2021"]}
STS
  STS12 mteb/sts12-sts@a0d554a64d88156834ff5ae9920b964011b16384
  STS13 mteb/sts13-sts@7e90230a92c190f1bf69ae9002b8cea547a64cca
  STS14 mteb/sts14-sts@6031580fec1f6af667f0bd2da0a551cf4f0b2375
  STS15 mteb/sts15-sts@ae752c7c21bf194d8b67fd573edf7ae58183cbe3
  STS16 mteb/sts16-sts@4d8694f8f0e0100860b497b999b3dbed754a0513
  STS17 mteb/sts17-crosslingual-sts@faeb762787bd10488a50c8b5be4a3b82e411949c
  STS22 mteb/sts22-crosslingual-sts@de9d86b3b84231dc21f76c7b7af1f28e2f57f6e3 {min_score: 1, max_score: 4}
  STS22.v2 mteb/sts22-crosslingual-sts@d31f33a128469b20e357535c39b82fb3c3f6f2bd {min_score: 1, max_score: 4}
  STSBenchmark mteb/stsbenchmark-sts@b0fddb56ed78048fa8b90373c8a3cfc37b684831
  SICK-R mteb/sickr-sts@20a6d6f312dd54037fe07a32d58e5e168867909d
  BIOSSES mteb/biosses-sts@d3fb88f8f02e40887cd149695127462bbcf29b4a
PairClassification
  TwitterURLCorpus mteb/twitterurlcorpus-pairclassification@8b6510b0b1fa4e4c4f879467980e9be563ec1cdf {columns: {sentence1: "sent1", sentence2: "sent2"}}
  TwitterSemEval2015 mteb/twittersemeval2015-pairclassification@70970daeab8776df92f5ea462b6173c0b46fd2d1 {columns: {sentence1: "sent1", sentence2: "sent2"}}
  SprintDuplicateQuestions mteb/sprintduplicatequestions-pairclassification@d66bd1f72af766a5cc4b0ca5e00c162f89e8cc46 {columns: {sentence1: "sent1", sentence2: "sent2"}}
Retrieval
  SciFact mteb/scifact@d56462d0e63a25450459c4f213e49ffdb866f7f9
  NFCorpus mteb/nfcorpus@ec0fa4fe99da2ff19ca1214b7966684033a58814
  ArguAna mteb/arguana@c22ab2a51041ffd869aaddef7af8d8215647e41a {ignore_identical_ids: true}
  FiQA2018 mteb/fiqa@27a168819829fe9bcd655c2df245fb19452e8e06 {ignore_identical_ids: true}
  SCIDOCS mteb/scidocs@f8c2fcf00f625baaa80f62ec5bd9e1fff3b8ae88
  TRECCOVID mteb/trec-covid@bb9466bac8153a0349341eb1b22e06409e78ef4e
  QuoraRetrieval mteb/quora@e4e08e0b7dbe3c8700f0daef558ff32256715259 {ignore_identical_ids: true}
  Touche2020Retrieval.v3 mteb/webis-touche2020-v3@431886eaecc48f067a3975b70d0949ea2862463c
  NQ mteb/nq@b774495ed302d8c44a3a7ea25c90dbce03968f31
  HotpotQA mteb/hotpotqa@ab518f4d6fcca38d87c25209f94beba119d02014
  FEVER mteb/fever@bea83ef9e8fb933d90a2f1d5515737465d613e12 {ignore_identical_ids: true}
  ClimateFEVER mteb/climate-fever@47f2ac6acb640fc46020b02a5b59fdda04d39380
  DBPedia mteb/dbpedia@c0f706b76e590d620bd6618b3ca8efdd34e2d659
  MSMARCO mteb/msmarco@c5a29a104738b98a9e76336939199e264163d4a0 {ignore_identical_ids: true, eval_splits: ["dev"]}
Reranking
  AskUbuntuDupQuestions mteb/AskUbuntuDupQuestions@c5691e3c48741d5f83b5cc8e630653d7a8cfc048
  SciDocsRR mteb/SciDocsRR@39b8377811871075eed9de3b8a7e21aaa6acb3d8
  StackOverflowDupQuestions mteb/StackOverflowDupQuestions@5debda000fe8e27ebb5c123d38081f92e1847a59
Clustering
  TwentyNewsgroupsClustering mteb/twentynewsgroups-clustering@6125ec4e24fa026cec8a478383ee943acfbd5449 {legacy: true}
  TwentyNewsgroupsClustering.v2 mteb/twentynewsgroups-clustering@6125ec4e24fa026cec8a478383ee943acfbd5449 {flatten: true}
  StackExchangeClustering mteb/stackexchange-clustering@6cbc1f7b2bc0622f2e39d2c77fa502909748c259 {legacy: true}
  StackExchangeClusteringP2P mteb/stackexchange-clustering-p2p@815ca46b2622cec33ccafc3735d572c266efdb44 {legacy: true}
  StackExchangeClusteringP2P.v2 mteb/stackexchange-clustering-p2p@815ca46b2622cec33ccafc3735d572c266efdb44 {flatten: true, drop_singletons: true}
  RedditClustering mteb/reddit-clustering@24640382cdbf8abc73003fb0fa6d111a705499eb {legacy: true}
  RedditClusteringP2P mteb/reddit-clustering-p2p@385e3cb46b4cfa89021f56c4380204149d0efe33 {legacy: true}
  RedditClusteringP2P.v2 mteb/reddit-clustering-p2p@385e3cb46b4cfa89021f56c4380204149d0efe33 {flatten: true, drop_singletons: true}
  ArxivClusteringP2P mteb/arxiv-clustering-p2p@a122ad7f3f0291bf49cc6f4d32aa80929df69d5d {legacy: true}
  ArxivClusteringS2S mteb/arxiv-clustering-s2s@f910caf1a6075f7329cdf8c1a6135696f37dbd53 {legacy: true}
  BiorxivClusteringP2P mteb/biorxiv-clustering-p2p@65b79d1d13f80053f67aca9498d9402c2d9f1f40 {legacy: true}
  BiorxivClusteringP2P.v2 mteb/biorxiv-clustering-p2p@f5dbc242e11dd8e24def4c4268607a49e02946dc
  BiorxivClusteringS2S mteb/biorxiv-clustering-s2s@258694dd0231531bc1fd9de6ceb52a0853c6d908 {legacy: true}
  BiorxivClusteringS2S.v2 mteb/biorxiv-clustering-s2s@eb4edb10386758d274cd161093eb351381a16dbf
  MedrxivClusteringP2P mteb/medrxiv-clustering-p2p@e7a26af6f3ae46b30dde8737f02c07b1505bcc73 {legacy: true}
  MedrxivClusteringP2P.v2 mteb/medrxiv-clustering-p2p@e7a26af6f3ae46b30dde8737f02c07b1505bcc73 {flatten: true}
  MedrxivClusteringS2S mteb/medrxiv-clustering-s2s@35191c8c0dca72d8ff3efcd72aa802307d469663 {legacy: true}
  MedrxivClusteringS2S.v2 mteb/medrxiv-clustering-s2s@35191c8c0dca72d8ff3efcd72aa802307d469663 {flatten: true}
Summarization
  SummEval mteb/summeval@cda12ad7615edc362dbf25a00fdd61d3b1eaf93c {averages_p_values: true}
  SummEvalSummarization.v2 mteb/summeval@cda12ad7615edc362dbf25a00fdd61d3b1eaf93c
BitextMining
  BUCC.v2 mteb/bucc-bitext-mining@1739dc11ffe9b7bfccd7f3d585aeb4c544fc6677
  Tatoeba mteb/tatoeba-bitext-mining@69e8f12da6e31d59addadda9a9c8a2e601a0e282
`;

/** Subsets and their languages, by task. */
const LANGUAGES: Readonly<Record<string, string>> = {
  "AmazonCounterfactualClassification": `
    en-ext eng-Latn, en eng-Latn, de deu-Latn, ja jpn-Jpan
  `,
  "AmazonReviewsClassification": `
    en eng-Latn, de deu-Latn, es spa-Latn, fr fra-Latn, ja jpn-Jpan, zh cmn-Hans
  `,
  "MTOPDomainClassification MTOPIntentClassification": `
    en eng-Latn, de deu-Latn, es spa-Latn, fr fra-Latn, hi hin-Deva, th tha-Thai
  `,
  "MassiveIntentClassification MassiveScenarioClassification": `
    af afr-Latn, am amh-Ethi, ar ara-Arab, az aze-Latn, bn ben-Beng, cy cym-Latn, da dan-Latn, de deu-Latn, el
    ell-Grek, en eng-Latn, es spa-Latn, fa fas-Arab, fi fin-Latn, fr fra-Latn, he heb-Hebr, hi hin-Deva, hu
    hun-Latn, hy hye-Armn, id ind-Latn, is isl-Latn, it ita-Latn, ja jpn-Jpan, jv jav-Latn, ka kat-Geor, km
    khm-Khmr, kn kan-Knda, ko kor-Kore, lv lav-Latn, ml mal-Mlym, mn mon-Cyrl, ms msa-Latn, my mya-Mymr, nb
    nob-Latn, nl nld-Latn, pl pol-Latn, pt por-Latn, ro ron-Latn, ru rus-Cyrl, sl slv-Latn, sq sqi-Latn, sv
    swe-Latn, sw swa-Latn, ta tam-Taml, te tel-Telu, th tha-Thai, tl tgl-Latn, tr tur-Latn, ur urd-Arab, vi
    vie-Latn, zh-CN cmo-Hans, zh-TW cmo-Hant
  `,
  "STS17": `
    ko-ko kor-Hang, ar-ar ara-Arab, en-ar eng-Latn ara-Arab, en-de eng-Latn deu-Latn, en-en eng-Latn, en-tr eng-Latn
    tur-Latn, es-en spa-Latn eng-Latn, es-es spa-Latn, fr-en fra-Latn eng-Latn, it-en ita-Latn eng-Latn, nl-en
    nld-Latn eng-Latn
  `,
  "STS22 STS22.v2": `
    en eng-Latn, de deu-Latn, es spa-Latn, pl pol-Latn, tr tur-Latn, ar ara-Arab, ru rus-Cyrl, zh cmn-Hans, fr
    fra-Latn, de-en deu-Latn eng-Latn, es-en spa-Latn eng-Latn, it ita-Latn, pl-en pol-Latn eng-Latn, zh-en cmn-Hans
    eng-Latn, es-it spa-Latn ita-Latn, de-fr deu-Latn fra-Latn, de-pl deu-Latn pol-Latn, fr-pl fra-Latn pol-Latn
  `,
  "BUCC.v2": `
    de-en deu-Latn eng-Latn, fr-en fra-Latn eng-Latn, ru-en rus-Cyrl eng-Latn, zh-en cmn-Hans eng-Latn
  `,
  "Tatoeba": `
    sqi-eng sqi-Latn eng-Latn, fry-eng fry-Latn eng-Latn, kur-eng kur-Latn eng-Latn, tur-eng tur-Latn eng-Latn,
    deu-eng deu-Latn eng-Latn, nld-eng nld-Latn eng-Latn, ron-eng ron-Latn eng-Latn, ang-eng ang-Latn eng-Latn,
    ido-eng ido-Latn eng-Latn, jav-eng jav-Latn eng-Latn, isl-eng isl-Latn eng-Latn, slv-eng slv-Latn eng-Latn,
    cym-eng cym-Latn eng-Latn, kaz-eng kaz-Cyrl eng-Latn, est-eng est-Latn eng-Latn, heb-eng heb-Hebr eng-Latn,
    gla-eng gla-Latn eng-Latn, mar-eng mar-Deva eng-Latn, lat-eng lat-Latn eng-Latn, bel-eng bel-Cyrl eng-Latn,
    pms-eng pms-Latn eng-Latn, gle-eng gle-Latn eng-Latn, pes-eng pes-Arab eng-Latn, nob-eng nob-Latn eng-Latn,
    bul-eng bul-Cyrl eng-Latn, cbk-eng cbk-Latn eng-Latn, hun-eng hun-Latn eng-Latn, uig-eng uig-Arab eng-Latn,
    rus-eng rus-Cyrl eng-Latn, spa-eng spa-Latn eng-Latn, hye-eng hye-Armn eng-Latn, tel-eng tel-Telu eng-Latn,
    afr-eng afr-Latn eng-Latn, mon-eng mon-Cyrl eng-Latn, arz-eng arz-Arab eng-Latn, hrv-eng hrv-Latn eng-Latn,
    nov-eng nov-Latn eng-Latn, gsw-eng gsw-Latn eng-Latn, nds-eng nds-Latn eng-Latn, ukr-eng ukr-Cyrl eng-Latn,
    uzb-eng uzb-Latn eng-Latn, lit-eng lit-Latn eng-Latn, ina-eng ina-Latn eng-Latn, lfn-eng lfn-Latn eng-Latn,
    zsm-eng zsm-Latn eng-Latn, ita-eng ita-Latn eng-Latn, cmn-eng cmn-Hans eng-Latn, lvs-eng lvs-Latn eng-Latn,
    glg-eng glg-Latn eng-Latn, ceb-eng ceb-Latn eng-Latn, bre-eng bre-Latn eng-Latn, ben-eng ben-Beng eng-Latn,
    swg-eng swg-Latn eng-Latn, arq-eng arq-Arab eng-Latn, kab-eng kab-Latn eng-Latn, fra-eng fra-Latn eng-Latn,
    por-eng por-Latn eng-Latn, tat-eng tat-Cyrl eng-Latn, oci-eng oci-Latn eng-Latn, pol-eng pol-Latn eng-Latn,
    war-eng war-Latn eng-Latn, aze-eng aze-Latn eng-Latn, vie-eng vie-Latn eng-Latn, nno-eng nno-Latn eng-Latn,
    cha-eng cha-Latn eng-Latn, mhr-eng mhr-Cyrl eng-Latn, dan-eng dan-Latn eng-Latn, ell-eng ell-Grek eng-Latn,
    amh-eng amh-Ethi eng-Latn, pam-eng pam-Latn eng-Latn, hsb-eng hsb-Latn eng-Latn, srp-eng srp-Cyrl eng-Latn,
    epo-eng epo-Latn eng-Latn, kzj-eng kzj-Latn eng-Latn, awa-eng awa-Deva eng-Latn, fao-eng fao-Latn eng-Latn,
    mal-eng mal-Mlym eng-Latn, ile-eng ile-Latn eng-Latn, bos-eng bos-Latn eng-Latn, cor-eng cor-Latn eng-Latn,
    cat-eng cat-Latn eng-Latn, eus-eng eus-Latn eng-Latn, yue-eng yue-Hant eng-Latn, swe-eng swe-Latn eng-Latn,
    dtp-eng dtp-Latn eng-Latn, kat-eng kat-Geor eng-Latn, jpn-eng jpn-Jpan eng-Latn, csb-eng csb-Latn eng-Latn,
    xho-eng xho-Latn eng-Latn, orv-eng orv-Cyrl eng-Latn, ind-eng ind-Latn eng-Latn, tuk-eng tuk-Latn eng-Latn,
    max-eng max-Deva eng-Latn, swh-eng swh-Latn eng-Latn, hin-eng hin-Deva eng-Latn, dsb-eng dsb-Latn eng-Latn,
    ber-eng ber-Tfng eng-Latn, tam-eng tam-Taml eng-Latn, slk-eng slk-Latn eng-Latn, tgl-eng tgl-Latn eng-Latn,
    ast-eng ast-Latn eng-Latn, mkd-eng mkd-Cyrl eng-Latn, khm-eng khm-Khmr eng-Latn, ces-eng ces-Latn eng-Latn,
    tzl-eng tzl-Latn eng-Latn, urd-eng urd-Arab eng-Latn, ara-eng ara-Arab eng-Latn, kor-eng kor-Hang eng-Latn,
    yid-eng yid-Hebr eng-Latn, fin-eng fin-Latn eng-Latn, tha-eng tha-Thai eng-Latn, wuu-eng wuu-Hans eng-Latn
  `,
};

function languagesOf(name: string): Record<string, readonly string[]> | undefined {
  const found = Object.entries(LANGUAGES).find(([names]) => names.split(" ").includes(name));
  return found && Object.fromEntries(
    found[1].split(",").map((subset) => {
      const [name, ...languages] = subset.trim().split(/\s+/);
      return [name!, languages];
    }),
  );
}

function readTable(): readonly MtebTask[] {
  const tasks: MtebTask[] = [];
  let type = "";
  for (const line of TABLE.trim().split("\n")) {
    const entry = /^ {2}(\S+) (\S+)@(\S+)(?: (.*))?$/.exec(line);
    if (entry === null) {
      type = line.trim();
      continue;
    }
    const [, name, path, revision, settings] = entry;
    const languages = languagesOf(name!);
    tasks.push(parseTask({
      name,
      type,
      dataset: { path, revision },
      eval_splits: ["test"],
      ...languages && { eval_langs: languages },
      ...settings === undefined ? {} : Yaml.parse(settings) as object,
    }));
  }
  return tasks;
}

let tasks: readonly MtebTask[] | undefined;

/**
 * The tasks of the benchmark that are known by name.
 *
 * @returns All of them, with their datasets at a commit.
 *
 * @example
 * ```ts
 * import { knownTasks } from "@kindred/kindred/mteb-protocol";
 * import assert from "node:assert/strict";
 * const retrieval = knownTasks().filter(({ type }) => type === "Retrieval").map(({ name }) => name);
 * assert.ok(retrieval.includes("SciFact"));
 * ```
 */
export function knownTasks(): readonly MtebTask[] {
  return tasks ??= readTable();
}

/**
 * The task of the benchmark with this name.
 *
 * @param name As mteb calls it.
 * @returns The task.
 * @throws {UsageError} There is none: the error names those that are spelled most like it.
 *
 * @example
 * ```ts
 * import { taskNamed } from "@kindred/kindred/mteb-protocol";
 * import assert from "node:assert/strict";
 * assert.equal(taskNamed("Banking77Classification").dataset?.path, "mteb/banking77");
 * assert.throws(() => taskNamed("Banking7Clasification"), { hint: /Banking77Classification/ });
 * ```
 */
export function taskNamed(name: string): MtebTask {
  const all = knownTasks();
  const task = all.find((task) => task.name === name);
  if (task !== undefined) return task;
  throw new UsageError(`there is no task ${name}`, {
    found: name,
    hint: `did you mean ${
      nearestNames(name, all.map((task) => task.name)).join(", ")
    }? Another task goes by --task-file`,
  });
}
