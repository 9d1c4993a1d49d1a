import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decryptRc2 } from '../../src/x509/rc2.ts';

/** RFC 2268 §5, those whose effective bits are the bits of the key: key, plain text, encrypted. */
const vectors: readonly (readonly [string, string, string])[] = [
  ['ffffffffffffffff', 'ffffffffffffffff', '278b27e42e2f0d49'],
  ['3000000000000000', '1000000000000001', '30649edf9be7d2c2'],
  ['88bca90e90875a7f0f79c384627bafb2', '0000000000000000', '2269552ab0f85ca6'],
];
const hex = (text: string) => Buffer.from(text, 'hex');

describe('RC2', () => {
  for (const [key, plain, encrypted] of vectors) {
    it(`decrypts ${encrypted} as RFC 2268 says`, () => {
      assert.equal(decryptRc2(hex(key), Buffer.alloc(8), hex(encrypted)).toString('hex'), plain);
    });
  }

  it('chains blocks (CBC)', () => {
    const [key, plain, encrypted] = vectors[0] ?? ['', '', ''];
    const iv = Buffer.alloc(8, 0x5a);
    const twice = decryptRc2(hex(key), iv, hex(encrypted + encrypted));
    const first = hex(plain).map((byte) => byte ^ 0x5a);
    const second = hex(plain).map((byte, at) => byte ^ (hex(encrypted)[at] ?? 0));
    assert.deepEqual(twice, Buffer.concat([first, second]));
  });
});
