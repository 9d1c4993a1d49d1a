import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { EnrolmentFault } from '../../../src/cmp/enrolment-fault.ts';
import { decodeMessage, encodeMessage } from '../../../src/cmp/messages/pki-message.ts';
import { type AnswerRules, checkAnswer } from '../../../src/cmp/protection/check-answer.ts';
import { computeMac, isMac, macAlgorithm } from '../../../src/cmp/protection/mac.ts';
import { macProtector, protectMessage } from '../../../src/cmp/protection/protect.ts';
import { Asn1Error } from '../../../src/x509/asn1/element.ts';
import { readCertificate } from '../../../src/x509/certificate.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import { parsePem } from '../../../src/x509/pem.ts';
import { capture, captures, capturesFolder } from '../captures.ts';

const pki = (name: string) => {
  const [block] = parsePem(readFileSync(join(capturesFolder, 'pki', name), 'utf8'));
  return readCertificate(block?.der ?? Buffer.alloc(0));
};
const root = pki('root.crt');
const rules: AnswerRules = {
  secret: { reference: '1234', value: Buffer.from('s3cret') },
  anchors: [root],
  content: usualLimits,
  now: Date.UTC(2026, 10, 22) / 1000,
  maxIterations: 100_000,
  acceptUnprotected: { errorMessage: false, pkiconfMessage: false },
};

describe('protection of answers', () => {
  const messages = captures().map(({ name, bytes }) => ({ name, message: decodeMessage(bytes) }));

  it('is found good in every message that the secret was used for, and in no other', async () => {
    const protectedOnes = messages.filter(({ message: { header } }) =>
      isMac(header.protectionAlg ?? { algorithm: 'none' }),
    );
    assert.ok(protectedOnes.length > 150);
    const bad: typeof protectedOnes = [];
    for (const one of protectedOnes) if (!(await passes(one.message, rules))) bad.push(one);
    assert.ok(bad.length >= 5);
    for (const { name } of bad) assert.match(name, /wrong-secret/);
  });

  it('is found good in every answer that the CA signed', async () => {
    const signed = messages.filter(
      ({ name, message: { header } }) =>
        /rsp\.der$/.test(name) &&
        !name.startsWith('bc-') &&
        header.protectionAlg &&
        !isMac(header.protectionAlg),
    );
    assert.ok(signed.length > 30);
    for (const { name, message } of signed) assert.ok(await passes(message, rules), name);
  });

  it('is found bad when another CA signed', async () => {
    const message = decodeMessage(capture('3.0.22/cr-sig/02-rsp.der'));
    await refuses(
      checkAnswer(message, { ...rules, anchors: [pki('evilca.crt')] }),
      /no trusted CA is above it/,
    );
  });

  it('is found bad when a device with a certificate of the CA signed', async () => {
    const message = decodeMessage(capture('3.0.22/cr-sig/01-req.der'));
    await refuses(checkAnswer(message, rules), /neither a CA nor/);
  });

  it('must be a signature when the request was signed', async () => {
    const message = decodeMessage(capture('3.0.22/ir-pbm/02-rsp.der'));
    await refuses(checkAnswer(message, { ...rules, secret: undefined }), /request was signed/);
  });

  it('names the reference when the password is wrong', async () => {
    const message = decodeMessage(capture('3.0.22/ir-pbm-wrong-secret/02-rsp.der'));
    const secret = { reference: '1234', value: Buffer.from('nope') };
    await refuses(checkAnswer(message, { ...rules, secret }), /password of reference 1234/);
  });

  it('may be absent only where the profile says so, and never from a certificate', async () => {
    const lenient = { ...rules, acceptUnprotected: { errorMessage: true, pkiconfMessage: true } };
    const read = (name: string) => decodeMessage(capture(name));
    const error = read('3.0.22/ir-pbm-unprot-error/02-rsp.der');
    const negative = read('3.0.22/ir-pbm-unprot-negative/02-rsp.der');
    for (const message of [error, negative]) {
      await refuses(checkAnswer(message, rules), /has no protection/);
      assert.equal(await checkAnswer(message, lenient), false);
    }
    const positive = read('3.0.22/ir-pbm-unprot-all/02-rsp.der');
    await refuses(checkAnswer(positive, lenient), /has no protection: ip/);
  });

  it('survives no change of a bit under it', async () => {
    for (const name of ['3.0.22/ir-pbm/02-rsp.der', '3.0.22/cr-sig/02-rsp.der']) {
      const bytes = capture(name);
      const { protectedPart } = decodeMessage(bytes);
      const length = protectedPart.length;
      for (let bit = 0; bit < 8 * length; bit += 5) {
        const changed = Buffer.from(bytes);
        const at = 4 + (bit >> 3);
        changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7));
        try {
          const message = decodeMessage(changed);
          // What now belongs to the part behind is not under the protection
          if (message.protectedPart.equals(protectedPart)) continue;
          assert.ok(!(await passes(message, rules)), `${name}, bit ${bit}`);
        } catch (error) {
          assert.ok(error instanceof Asn1Error, String(error));
        }
      }
    }
  });

  const shapes: [string, Parameters<typeof macAlgorithm>, RegExp][] = [
    [
      'a short salt',
      [{ kind: 'pbm', digest: 'sha256', iterations: 1000 }, Buffer.alloc(7)],
      /salt/,
    ],
    ['one iteration', [{ kind: 'pbm', digest: 'sha256', iterations: 1 }, Buffer.alloc(16)], /iter/],
    [
      'more iterations than the profile allows',
      [{ kind: 'pbmac1', digest: 'sha256', iterations: 2 ** 31 }, Buffer.alloc(16)],
      /iterations/,
    ],
  ];
  for (const [what, parameters, expected] of shapes) {
    it(`is not looked at with ${what}`, async () => {
      const algorithm = macAlgorithm(...parameters);
      await refuses(computeMac(algorithm, Buffer.from('x'), Buffer.alloc(0), rules), expected);
    });
  }

  it('leaves the program its other work, however many iterations an answer wants', async () => {
    const settings = { kind: 'pbm', digest: 'sha256', iterations: 50_000 } as const;
    let turns = 0;
    let isOver = false;
    const turn = () => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    await computeMac(
      macAlgorithm(settings, Buffer.alloc(16)),
      Buffer.from('x'),
      Buffer.of(),
      rules,
    );
    isOver = true;
    assert.ok(turns > 40, `${turns}`);
  });

  for (const kind of ['pbm', 'pbmac1'] as const) {
    it(`of our own messages is good by ${kind}`, async () => {
      const { header, body } = decodeMessage(capture('3.0.22/ir-pbm/01-req.der'));
      const secret = { reference: '7', value: Buffer.from('pässword') };
      const settings = { kind, digest: 'sha256', iterations: 1024 } as const;
      const salt = Buffer.alloc(16, 1);
      const bytes = await protectMessage(header, body, macProtector(secret, settings, salt));
      const message = decodeMessage(bytes);
      assert.equal(message.header.senderKid?.toString(), '7');
      assert.ok(await checkAnswer(message, { ...rules, secret }));
      assert.ok(encodeMessage(message).equals(bytes));
    });
  }
});

async function passes(
  message: ReturnType<typeof decodeMessage>,
  by: AnswerRules,
): Promise<boolean> {
  try {
    return await checkAnswer(message, by);
  } catch (error) {
    if (error instanceof EnrolmentFault || error instanceof Asn1Error) return false;
    throw error;
  }
}

async function refuses(work: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof EnrolmentFault);
    assert.equal(error.layer, 'protection');
    assert.match(error.message, message);
    return true;
  });
}
