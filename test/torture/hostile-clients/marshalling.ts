/** Bytes that begin at a boundary (D-Bus Specification, "Marshaling"). */
interface Part {
  readonly boundary: number;
  readonly bytes: Buffer;
}

export function pack(...parts: readonly Part[]): Buffer {
  return parts.reduce((all, { boundary, bytes }) => {
    const gap = (boundary - (all.length % boundary)) % boundary;
    return Buffer.concat([all, Buffer.alloc(gap), bytes]);
  }, Buffer.alloc(0));
}

export function text(value: string): Part {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(value));
  return { boundary: 4, bytes: Buffer.concat([length, Buffer.from(`${value}\0`)]) };
}

export function number(value: number): Part {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return { boundary: 4, bytes };
}

export function raw(boundary: number, bytes: Buffer): Part {
  return { boundary, bytes };
}

/** An array of so many bytes, all of them zero: of empty arrays, of empty strings, of numbers. */
export function zeros(bytes: number): Buffer {
  return pack(number(bytes), raw(1, Buffer.alloc(bytes)));
}

/** Arguments that are empty or zero: of strings, numbers, and arrays of those. */
export function emptyArguments(signature: string): Buffer {
  const parts = [...signature.matchAll(/a?\w/g)].map(([type]) => {
    const isLong = type === 'x' || type === 't';
    const size = isLong ? 8 : type === 's' ? 5 : 4;
    return raw(isLong ? 8 : 4, Buffer.alloc(size));
  });
  return pack(...parts);
}

/** `sa{sv}as` of PropertiesChanged: one property that is a string, or none. */
export function changedProperty(interfaceName: string, property = '', value = ''): Buffer {
  const variant = Buffer.from([1, 0x73, 0]);
  const entry =
    property === '' ? Buffer.alloc(0) : pack(text(property), raw(1, variant), text(value));
  return pack(text(interfaceName), number(entry.length), raw(8, entry), number(0));
}
