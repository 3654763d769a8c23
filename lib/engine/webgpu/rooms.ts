/**
 * Where tensors lie: in one buffer, or in several where a device has none that is large enough.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import { type Handle, sizeOf } from "../engine.ts";

/** A buffer, and the first element of a tensor that lies in it. */
export interface Piece {
  readonly buffer: GPUBuffer;
  readonly from: number;
}

/** What a tensor and its views share: buffers that are given back once. */
export interface Room {
  /** In the order of the elements; none once they are given back. */
  pieces: readonly Piece[];
  /** All elements'. */
  readonly bytes: number;
}

/** A tensor of this engine. */
export interface GpuHandle extends Handle {
  /** Where it lies. */
  readonly room: Room;
  /** Its first element there. */
  readonly first: number;
}

/** Places of tensors that lie one behind the other. */
export interface Layout {
  /** First element of each. */
  readonly offsets: readonly number[];
  /** Elements of all, with what is between them. */
  readonly size: number;
}

/**
 * Where the pieces of a room begin: as few tensors are cut as can be, and those between rows.
 *
 * @param shapes Of its tensors.
 * @param layout Where they are.
 * @param most Elements of the largest buffer.
 * @returns First element of each piece.
 * @throws {EngineError} A row is larger than that.
 */
export function pieceStarts(
  shapes: readonly (readonly number[])[],
  { offsets, size }: Layout,
  most: number,
): readonly number[] {
  const starts = [0];
  if (size <= most) return starts;
  const room = most - 16; // with what lies between tensors
  shapes.forEach((shape, i) => {
    const [begin, end] = [offsets[i]!, offsets[i]! + sizeOf(shape)];
    if (end - starts.at(-1)! <= room) return;
    const width = sizeOf(shape.slice(1));
    if (width > room) {
      throw new EngineError("a row of a tensor is larger than a buffer of this device", {
        expected: `at most ${4 * room} bytes`,
        found: `${4 * width} in [${shape}]`,
        hint: "--engine cpu",
      });
    }
    const step = Math.floor(room / width) * width;
    for (let start = begin; start < end; start += step) if (start > starts.at(-1)!) starts.push(start);
  });
  return starts;
}

/** The piece that an element of a room is in, and the first element behind it. */
export function pieceOf({ pieces }: Room, element: number): Piece & { readonly end: number } {
  const i = pieces.findLastIndex(({ from }) => from <= element);
  return { ...pieces[i]!, end: pieces[i + 1]?.from ?? Infinity };
}
