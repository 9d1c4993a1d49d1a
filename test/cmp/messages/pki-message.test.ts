import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  decodeMessage,
  encodeMessage,
  partToProtect,
} from '../../../src/cmp/messages/pki-message.ts';
import { Asn1Error } from '../../../src/x509/asn1/element.ts';
import { capture, captures } from '../captures.ts';

describe('messages of CMP', () => {
  const all = captures();

  it('are read and written byte for byte as other programs exchanged them', () => {
    assert.equal(all.length, 293);
    for (const { name, bytes } of all) {
      const message = decodeMessage(bytes);
      assert.ok(encodeMessage(message).equals(bytes), name);
      assert.ok(partToProtect(message).equals(message.protectedPart), name);
    }
  });

  it('are refused wherever they are cut off', () => {
    const bytes = capture('3.0.22/ir-pbm/02-rsp.der');
    for (let length = 0; length < bytes.length; length += 1)
      assert.throws(() => decodeMessage(bytes.subarray(0, length)), Asn1Error);
  });

  it('are refused with anything behind them', () => {
    const bytes = capture('3.0.22/ir-pbm/02-rsp.der');
    assert.throws(() => decodeMessage(Buffer.concat([bytes, Buffer.of(0)])), Asn1Error);
  });

  it('stay what they are when a bit of them changes, or are refused', () => {
    const bytes = capture('3.0.22/ir-pbm/02-rsp.der');
    for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const message = decoded(changed);
      if (message) assert.ok(encodeMessage(message).equals(changed), `bit ${bit}`);
    }
  });

  it('are refused in a form of their own, whatever the bytes are', () => {
    const pick = fc.constantFrom(...all.map(({ bytes }) => bytes));
    const places = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(pick, places, (bytes, changes) => {
        const changed = Buffer.from(bytes);
        for (const [at, octet] of changes) changed[at % changed.length] = octet;
        const message = decoded(changed);
        assert.ok(!message || encodeMessage(message).equals(changed));
      }),
    );
  });
});

function decoded(bytes: Buffer) {
  try {
    return decodeMessage(bytes);
  } catch (error) {
    assert.ok(error instanceof Asn1Error, String(error));
    return undefined;
  }
}
