/**
 * The C that follows from the table of kernels: a structure of arguments and a prototype for each, and the one function
 * by which they are called.
 *
 * @module
 */
import { type CType, KERNEL_TABLE } from "../../lib/engine/cpu/kernels/table.ts";

const NOTE = "// Generated from table.ts by `deno task build:kernels`. Do not edit.";

const kernels = Object.entries(KERNEL_TABLE as Readonly<Record<string, Readonly<Record<string, CType>>>>);

/** `table.h`: what a kernel gets. */
export function kernelHeader(): string {
  const declarations = kernels.map(([name, args]) => {
    const members = Object.entries(args).map(([arg, type]) => `  ${type}${type.endsWith("*") ? "" : " "}${arg};\n`);
    return `struct ${name} {\n${members.join("")}};\nKERNEL(${name});\n`;
  });
  return [
    NOTE,
    "#pragma once",
    "",
    "// A kernel: does items `start` … `end` − 1 with its arguments `a`, and may overwrite what is at `scratch`.",
    "#define KERNEL(name) static __attribute__((noinline)) void name(struct name a, int start, int end, void *scratch)",
    "",
    ...declarations,
  ].join("\n");
}

/** `dispatch.c`: a kernel by its number. */
export function kernelDispatch(): string {
  const cases = kernels.map(([name, args], number) => {
    const values = Object.values(args).map((type, i) => `          ${valueOf(type, `values[${i}]`)},\n`);
    return `    case ${number}:\n      return ${name}((struct ${name}){\n${
      values.join("")
    }      }, start, end, scratch);\n`;
  });
  return [
    NOTE,
    '#include "table.h"',
    "",
    "// An address is bytes from `base`; 0 is nothing.",
    "#define ADDRESS(value) (value == 0 ? (void *)0 : (void *)(base + (__SIZE_TYPE__)value))",
    "",
    "// Does items `start` … `end` − 1 of the kernel of this number, with its arguments in the order of the table.",
    "static void run(int kernel, char *base, const double *values, int start, int end, void *scratch) {",
    "  switch (kernel) {",
    `${cases.join("")}  }`,
    "}",
    "",
  ].join("\n");
}

function valueOf(type: CType, value: string): string {
  if (type.endsWith("*")) return `ADDRESS(${value})`;
  // Whole numbers of 32 bits, however they are signed: what does not fit wraps around, as in JavaScript.
  if (type === "unsigned") return `(unsigned)(long long)${value}`;
  return `(${type})${value}`;
}
