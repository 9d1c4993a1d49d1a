import { createDecipheriv } from 'node:crypto';
import forge from 'node-forge';

// Importing this file makes forge decrypt in time that grows with the data alone. What is left to forge is AES and
// DES, which take a tenth of a second for a megabyte

/** What forge asks of a cipher that decrypts. */
interface Decipher {
  output: forge.util.ByteStringBuffer;
  start(iv: string | forge.util.ByteStringBuffer): void;
  update(input: forge.util.ByteStringBuffer): void;
  /** @returns false for what was not encrypted so */
  finish(): boolean;
}

type MakeDecipher = (key: string | forge.util.ByteStringBuffer, bits?: number) => Decipher;

const blockBytes = 8;
const keyBytesOf3Des = 24;
/** forge's RC2 copies all that it has decrypted for each block, so it gets a few of them at a time. */
const portionBytes = 512;

const rc2: object = Reflect.get(forge, 'rc2');
const forgeRc2: MakeDecipher = Reflect.get(rc2, 'createDecryptionCipher');
const des: object = Reflect.get(forge, 'des');
const forgeDes: MakeDecipher = Reflect.get(des, 'createDecryptionCipher');

Reflect.set(rc2, 'createDecryptionCipher', ((key, bits) => {
  const cipher = forgeRc2(key, bits);
  return wholeDecipher((data, iv) => {
    const portions: Buffer[] = [];
    let last = iv;
    for (let at = 0; at < data.length; at += portionBytes) {
      const portion = data.subarray(at, at + portionBytes);
      cipher.start(bufferOf(last));
      cipher.update(bufferOf(portion));
      portions.push(bytesOf(cipher.output));
      last = portion.subarray(-blockBytes);
    }
    return Buffer.concat(portions);
  });
}) satisfies MakeDecipher);

const makeDes: MakeDecipher = (key) => {
  const bytes = bytesOf(key);
  if (bytes.length !== keyBytesOf3Des) return forgeDes(bufferOf(bytes));
  return wholeDecipher((data, iv) =>
    createDecipheriv('des-ede3-cbc', bytes, iv).setAutoPadding(false).update(data),
  );
};
Reflect.set(des, 'createDecryptionCipher', makeDes);
Reflect.set(
  des,
  'startDecrypting',
  (key: forge.util.ByteStringBuffer, iv: forge.util.ByteStringBuffer) => {
    const cipher = makeDes(key);
    cipher.start(iv);
    return cipher;
  },
);

/** A cipher in CBC with PKCS #7 padding over all of its data, from what decrypts whole blocks. */
function wholeDecipher(decrypt: (data: Buffer, iv: Buffer) => Buffer): Decipher {
  let iv: Buffer = Buffer.alloc(0);
  let data: Buffer = Buffer.alloc(0);
  const cipher: Decipher = {
    output: bufferOf(Buffer.alloc(0)),
    start: (given) => {
      iv = bytesOf(given);
    },
    update: (input) => {
      data = Buffer.concat([data, bytesOf(input)]);
    },
    finish: () => {
      if (iv.length !== blockBytes || data.length === 0 || data.length % blockBytes > 0)
        return false;
      const padded = decrypt(data, iv);
      const padding = padded.at(-1) ?? 0;
      if (padding === 0 || padding > blockBytes) return false;
      cipher.output = bufferOf(padded.subarray(0, -padding));
      return true;
    },
  };
  return cipher;
}

function bytesOf(bytes: string | forge.util.ByteStringBuffer): Buffer {
  return Buffer.from(typeof bytes === 'string' ? bytes : bytes.bytes(), 'latin1');
}

function bufferOf(bytes: Uint8Array): forge.util.ByteStringBuffer {
  return forge.util.createBuffer(Buffer.from(bytes).toString('latin1'));
}
