// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Builds TensorFlow.js' native addon against the library inside TensorFlow's own Python wheel, for `--engine tfjs:node`
 * and `--engine tfjs:gpu`:
 *
 *     deno run -A tools/build_tfjs.ts [--gpu] [FOLDER] [--tensorflow VERSION] [--python python3]
 *
 * The addons that can be downloaded for `@tensorflow/tfjs-node` 4.22 carry TensorFlow 2.9.1, of 2022, for CUDA 11.2. Its
 * sources compile unchanged against the C interface of TensorFlow 2.21. Wanted: Linux, Python with pip, g++. What is
 * needed comes from npm and PyPI through their own clients: the addon's sources and JavaScript, Node's headers, the
 * wheel of `tensorflow-cpu` (270 MB), or with `--gpu` those of `tensorflow` and of the CUDA libraries that it names.
 *
 * @module
 */
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { addonVariable, COMPLETE, defaultAddonFolder } from "../lib/engine/tfjs/addon.ts";

const TFJS = "4.22.0";
const TENSORFLOW = "2.21.0";
/** Any version of Node's interface that a Deno of these years speaks; the package looks for the highest one. */
const NODE_API = [8, 9, 10];

async function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  console.error(`$ ${[command, ...args].join(" ")}`);
  const { code } = await new Deno.Command(command, { args: [...args], cwd, stdout: "inherit", stderr: "inherit" })
    .spawn().status.catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new Error(`${command} is not installed`);
    });
  if (code !== 0) throw new Error(`${command} failed with exit code ${code}`);
}

/** Unpacks the libraries and headers of TensorFlow, and all of the CUDA libraries' packages. */
const UNPACK = `
import glob, sys, zipfile
for wheel in glob.glob(sys.argv[1] + "/*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            library = name.startswith("tensorflow/lib") and ".so" in name
            if library or name.startswith(("tensorflow/include/", "nvidia/")):
                archive.extract(name, sys.argv[2])
`;
/** Prints what the wheel of TensorFlow wants for CUDA, one requirement a line. */
const CUDA = `
import glob, sys, zipfile
with zipfile.ZipFile(glob.glob(sys.argv[1] + "/tensorflow-*.whl")[0]) as archive:
    [metadata] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    for line in archive.read(metadata).decode().splitlines():
        if line.startswith("Requires-Dist: nvidia-"):
            print(line.split(": ", 1)[1].split(";")[0])
`;

/** Fetches wheels with pip and unpacks what the addon needs to \`python/\` in the folder. */
async function fetchTensorFlow(folder: string, version: string, python: string, gpu: boolean): Promise<void> {
  const wheels = await Deno.makeTempDir({ dir: folder });
  const download = (wanted: readonly string[]) =>
    run(python, ["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "-d", wheels, ...wanted], folder);
  try {
    await download([`tensorflow${gpu ? "" : "-cpu"}==${version}`]);
    if (gpu) {
      const { stdout } = await new Deno.Command(python, { args: ["-c", CUDA, wheels] }).output();
      await download(new TextDecoder().decode(stdout).trim().split("\n"));
    }
    await run(python, ["-c", UNPACK, wheels, join(folder, "python")], folder);
  } finally {
    await Deno.remove(wheels, { recursive: true });
  }
}

/** Makes the folder: packages in `node_modules/`, TensorFlow in `python/`, the addon among the packages. */
async function build(folder: string, version: string, python: string, gpu: boolean): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await Deno.remove(join(folder, COMPLETE)).catch(() => {});
  const dependencies = { "@tensorflow/tfjs-node": TFJS, "node-api-headers": "^1.5.0" };
  await Deno.writeTextFile(join(folder, "package.json"), JSON.stringify({ private: true, dependencies }) + "\n");
  // Without the packages' scripts, which would download the old addon.
  await run(Deno.execPath(), ["install", "--node-modules-dir=auto", "--quiet"], folder);
  await fetchTensorFlow(folder, version, python, gpu);

  const modules = join(folder, "node_modules");
  const packageFolder = await Deno.realPath(join(modules, "@tensorflow", "tfjs-node"));
  const library = join(folder, "python", "tensorflow");
  const addon = join(folder, "tfjs_binding.node");
  await run("g++", [
    ...["-std=c++17", "-O2", "-shared", "-fPIC", "-DNAPI_VERSION=8"],
    `-I${join(modules, "node-api-headers", "include")}`,
    `-I${join(library, "include")}`,
    `-I${join(library, "include", "external")}`,
    ...["tfjs_backend.cc", "tfjs_binding.cc"].map((name) => join(packageFolder, "binding", name)),
    ...["-o", addon],
    ...["cc", "framework"].map((name) => join(library, `libtensorflow_${name}.so.2`)),
    `-Wl,-rpath,${library}`,
  ], folder);
  for (const api of NODE_API) {
    const target = join(packageFolder, "lib", `napi-v${api}`, "tfjs_binding.node");
    await Deno.mkdir(dirname(target), { recursive: true });
    await Deno.copyFile(addon, target);
  }
  await Deno.remove(addon);
  await Deno.remove(join(library, "include"), { recursive: true });
  await Deno.writeTextFile(join(folder, COMPLETE), `${version}\n`);
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    args: Deno.args,
    allowPositionals: true,
    options: {
      gpu: { type: "boolean", default: false },
      tensorflow: { type: "string", default: TENSORFLOW },
      python: { type: "string", default: "python3" },
    },
  });
  if (Deno.build.os !== "linux") throw new Error("this tool knows Linux only");
  const backend = values.gpu ? "gpu" : "node";
  const folder = resolve(positionals[0] ?? defaultAddonFolder(backend));
  await build(folder, values.tensorflow, values.python, values.gpu);
  console.error(`built: ${folder}`);
  if (folder !== resolve(defaultAddonFolder(backend))) console.error(`use it with ${addonVariable(backend)}=${folder}`);
}
