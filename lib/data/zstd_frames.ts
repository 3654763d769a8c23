/**
 * Zstandard frames (RFC 8878): what they say of themselves. Its unpacker believes it, and takes as much memory.
 *
 * @module
 */

/** Bytes of the window that a frame may refer back to: as many as the reference unpacker takes unless it is told otherwise. */
const LARGEST_WINDOW = 1 << 27;

/** Bytes that a block becomes at most: so many are taken for each packed one of a frame that does not say its size. */
const BLOCK = 1 << 17;
/** What they may take beyond the size that is asked for: writers that do not fill their blocks are none the worse. */
const MOST_ROOM = 1 << 28;

const [MAGIC, SKIPPABLE] = [0xfd2fb528, 0x184d2a50];
/** Type of a block that is one byte, repeated; type of one that is packed. */
const [REPEATED, PACKED] = [1, 2];

/**
 * Checks packed bytes before they are unpacked.
 *
 * @param bytes Frames, one behind the other.
 * @param size Bytes that they are to become.
 * @throws {Error} They say of themselves that they become more, have a larger window than is usual, so many blocks that
 *   no memory should take them, or are cut.
 */
export function checkZstd(bytes: Uint8Array, size: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let [claimed, room] = [0, 0];
  for (let at = 0; at < bytes.length;) {
    const frame = frameAt(view, at);
    claimed += frame.claimed;
    if (claimed > size) throw new Error(`a Zstandard frame of ${frame.claimed} bytes in a page of ${size}`);
    if (frame.window > LARGEST_WINDOW) throw new Error(`a Zstandard frame with a window of ${frame.window} bytes`);
    room += frame.room;
    if (room > MOST_ROOM + size) throw new Error(`Zstandard blocks with room for ${room} bytes in a page of ${size}`);
    at = frame.end;
  }
}

interface Frame {
  /** Bytes that it becomes; where it does not say, those that its blocks say. */
  readonly claimed: number;
  /** Bytes that the unpacker keeps; 0: those that it becomes. */
  readonly window: number;
  /** Bytes that the unpacker takes for its packed blocks, where it does not say what it becomes. */
  readonly room: number;
  /** The byte behind it. */
  readonly end: number;
}

/** The frame that begins at a byte. What stands behind the last byte throws a RangeError. */
function frameAt(view: DataView, at: number): Frame {
  const magic = view.getUint32(at, true);
  if ((magic & ~15) === SKIPPABLE) {
    return { claimed: 0, window: 0, room: 0, end: at + 8 + view.getUint32(at + 4, true) };
  }
  if (magic !== MAGIC) throw new Error("bytes that are no Zstandard frame");
  const flags = view.getUint8(at + 4);
  const isSingle = (flags >> 5 & 1) === 1; // its window is what it becomes
  let next = at + 5;
  const window = isSingle ? 0 : windowOf(view.getUint8(next++));
  next += [0, 1, 2, 4][flags & 3]!; // the number of a dictionary
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][flags >> 6]!;
  const content = contentOf(view, next, sizeBytes);
  next += sizeBytes;
  let [plain, packed] = [0, 0]; // bytes that blocks say they become, and blocks that do not say it
  for (let isLast = false; !isLast;) {
    const head = view.getUint16(next, true) | view.getUint8(next + 2) << 16;
    const [type, length] = [head >> 1 & 3, head >> 3];
    isLast = (head & 1) === 1;
    if (type === PACKED) packed++;
    else plain += length;
    next += 3 + (type === REPEATED ? 1 : length);
  }
  const end = next + (flags >> 2 & 1) * 4;
  if (content !== undefined) return { claimed: content, window, room: 0, end };
  return { claimed: plain, window, room: packed * Math.min(BLOCK, window), end };
}

/** 2^(10 + exponent) bytes, and as many eighths of them as the lowest three bits say. */
function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + base / 8 * (descriptor & 7);
}

function contentOf(view: DataView, at: number, bytes: number): number | undefined {
  if (bytes === 0) return undefined;
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true) + 256;
  return bytes === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}
