// The kernels of the cpu engine, in AssemblyScript. Every one ends with (scratch, start, end): its thread's own memory
// and the range of items to do. Pointers are bytes; tensors are row-major f32 and i32, each padded to 64 bytes.
export * from "./attention";
export * from "./elementwise";
export * from "./gemm";
export * from "./optimizer";
export * from "./rows";
