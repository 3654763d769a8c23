export * from "./lib/error.ts";
