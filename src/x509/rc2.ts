/** The permutation PITABLE of RFC 2268 §2. */
const permutation = Buffer.from(
  [
    'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2',
    '179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82',
    '54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626',
    '6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7',
    '08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec',
    'c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731',
    '2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9',
    '0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad',
  ].join(''),
  'hex',
);
const blockBytes = 8;

/**
 * Decrypts RC2 in CBC mode (RFC 2268), which OpenSSL 3 keeps in a provider that Node does not load. Old Java and Windows
 * encrypt certificates of PKCS #12 files with 40 bits of it.
 * @param key its length is the number of effective bits
 * @param data whole blocks
 * @returns as many bytes, with their padding
 */
export function decryptRc2(key: Buffer, iv: Buffer, data: Buffer): Buffer {
  const words = expandKey(key);
  const plain = Buffer.alloc(data.length);
  for (let at = 0; at < data.length; at += blockBytes) decryptBlock(words, data, plain, at);
  for (let at = 0; at < data.length; at += 1)
    plain[at] = (plain[at] ?? 0) ^ ((at < blockBytes ? iv[at] : data[at - blockBytes]) ?? 0);
  return plain;
}

/** RFC 2268 §2 */
function expandKey(key: Buffer): Uint16Array {
  const bytes = Buffer.alloc(128);
  key.copy(bytes);
  const pi = (at: number) => permutation[at & 0xff] ?? 0;
  const byte = (at: number) => bytes[at] ?? 0;
  for (let at = key.length; at < 128; at += 1) bytes[at] = pi(byte(at - 1) + byte(at - key.length));
  const start = 128 - key.length;
  bytes[start] = pi(byte(start));
  for (let at = start - 1; at >= 0; at -= 1) bytes[at] = pi(byte(at + 1) ^ byte(at + key.length));
  return Uint16Array.from({ length: 64 }, (_, at) => bytes.readUInt16LE(2 * at));
}

/** RFC 2268 §4: 5 rounds of mixing, mashing, 6 of mixing, mashing, 5 of mixing, all in reverse. */
function decryptBlock(words: Uint16Array, data: Buffer, plain: Buffer, at: number): void {
  const word = (index: number) => words[index] ?? 0;
  let [r0, r1] = [data.readUInt16LE(at), data.readUInt16LE(at + 2)];
  let [r2, r3] = [data.readUInt16LE(at + 4), data.readUInt16LE(at + 6)];
  for (let round = 15; round >= 0; round -= 1) {
    r3 = unmix(r3, 5, word(4 * round + 3), r2, r1, r0);
    r2 = unmix(r2, 3, word(4 * round + 2), r1, r0, r3);
    r1 = unmix(r1, 2, word(4 * round + 1), r0, r3, r2);
    r0 = unmix(r0, 1, word(4 * round), r3, r2, r1);
    if (round !== 5 && round !== 11) continue;
    r3 = (r3 - word(r2 & 63)) & 0xffff;
    r2 = (r2 - word(r1 & 63)) & 0xffff;
    r1 = (r1 - word(r0 & 63)) & 0xffff;
    r0 = (r0 - word(r3 & 63)) & 0xffff;
  }
  for (const [index, value] of [r0, r1, r2, r3].entries())
    plain.writeUInt16LE(value, at + 2 * index);
}

function unmix(value: number, bits: number, word: number, a: number, b: number, c: number): number {
  // The value has 16 bits; what is above them is masked below
  const rotated = (value >>> bits) | (value << (16 - bits));
  return (rotated - word - (a & b) - (~a & c)) & 0xffff;
}
