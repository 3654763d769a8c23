/**
 * A kernel as text, before a device has compiled it.
 *
 * @module
 */
/** Types of elements in WGSL; vec4f: four numbers at once, of a tensor whose first element is a fourth one. */
export type Element = "f32" | "i32" | "u32" | "vec4f";

/** A kernel: text in WGSL, and what it is given. */
export interface Kernel {
  /** Its name, with all that its text depends on: kernels of one name are compiled once. */
  readonly name: string;
  /** Tensors that are read: in the text, `x[i]` is element i of x, or, as vec4f, the four from 4 i on. */
  readonly reads: Readonly<Record<string, Element>>;
  /** Tensors that are written. No two of them lie in one buffer. */
  readonly writes: Readonly<Record<string, Element>>;
  /** Numbers: in the text, `p.name`. */
  readonly numbers: Readonly<Record<string, Element>>;
  /** Threads of a workgroup. Default 256. */
  readonly threads?: number;
  /** What its text needs beside the language itself. */
  readonly extension?: "f16";
  /** Declarations in front of the body. */
  readonly head?: string;
  /** The body of the kernel, in which `group` is the number of the workgroup, `t` that of the thread, and `wid` all three. */
  readonly body: string;
}

/** Groups in one dimension; more of them go on in the next. */
export const MOST_GROUPS = 65535;
/** The whole text of a kernel: its numbers, its tensors, and its body, in which `x[` has become the place of x. */
export function textOf({ reads, writes, numbers, threads = 256, extension, head = "", body }: Kernel): string {
  const tensors = [...Object.entries(reads), ...Object.entries(writes)];
  const members = [
    ...Object.entries(numbers).map(([name, type]) => `  ${name}: ${type},`),
    ...tensors.map(([name]) => `  ${name}First: u32,`),
  ];
  const bindings = tensors.map(([name, type], i) =>
    `@group(0) @binding(${i + 1}) var<storage, ${
      name in writes ? "read_write" : "read"
    }> ${name}Buffer: array<${type}>;`
  );
  const names = tensors.map(([name]) => name).join("|");
  const placed = (text: string) =>
    names === "" ? text : text.replace(new RegExp(`\\b(${names})\\[`, "g"), "$1Buffer[p.$1First + ");
  return `${extension === undefined ? "" : `enable ${extension};`}
struct Numbers {
${members.join("\n")}
}
@group(0) @binding(0) var<uniform> p: Numbers;
${bindings.join("\n")}
${placed(head)}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) t: u32) {
  let group = wid.x + wid.y * ${MOST_GROUPS}u;
${placed(body)}
}
`;
}
