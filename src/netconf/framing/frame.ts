/** A message in one chunk (RFC 6242 §4.2); a chunk cannot be empty, and no message is. */
export function chunkedFrame(message: string): Buffer {
  const bytes = Buffer.from(message);
  return Buffer.concat([Buffer.from(`\n#${bytes.length}\n`), bytes, Buffer.from('\n##\n')]);
}

/** A message with its delimiter (RFC 6242 §4.3), which is not in what `writeXml` writes. */
export function endOfMessageFrame(message: string): Buffer {
  return Buffer.from(`${message}]]>]]>`);
}
