import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { signatureFault } from '../../../src/manager/checks/chain-signatures.ts';
import { parseUpload } from '../../../src/manager/upload.ts';
import type { Certificate } from '../../../src/x509/certificate.ts';
import { caExtensions, opensslAuthority } from '../../fakes/openssl-authority.ts';
import {
  infoOf,
  newKey,
  type QuickCertificate,
  quickCertificate,
} from '../../fakes/quick-certificate.ts';
import { countingVerifications } from '../../fakes/verifications.ts';

const tools = opensslAuthority();
after(() => tools.remove());

/** Keys take longer to make than certificates, and who has which does not matter. */
const keys = Array.from({ length: 100 }, newKey);
const keyAt = (at: number): KeyObject => keys[at % keys.length] ?? newKey();
const signed = (shape: Omit<QuickCertificate, 'info' | 'isCa'>, key: KeyObject) =>
  quickCertificate({ ...shape, info: infoOf(key), isCa: true });
const fileOf = (pems: readonly string[]) => parseUpload(pems.join(''), pems.length).certificates;

/** What is wrong with a file, and how many signatures were verified to find out. */
function judge(file: readonly Certificate[]): { fault: string | undefined; verified: number } {
  const { result, verified } = countingVerifications(() => signatureFault(file));
  return { fault: result, verified };
}

/** So many of one name, all of them signed by the last. */
function namesakes(count: number, hasKeyIdentifiers: boolean): readonly Certificate[] {
  const last = newKey();
  const shape = { subject: 'X', issuer: 'X', issuerKey: last, hasKeyIdentifiers };
  const others = Array.from({ length: count - 1 }, (_, at) => signed(shape, keyAt(at)));
  return fileOf([...others, signed(shape, last)]);
}

describe('the signatures of a file', () => {
  for (const hasKeyIdentifiers of [true, false]) {
    const manner = hasKeyIdentifiers ? 'with' : 'without';

    it(`are good in a thousand authorities, two of each name, ${manner} key identifiers`, () => {
      const pems = Array.from({ length: 1000 }, (_, at) => {
        const name = `CA ${at % 500}`;
        const key = keyAt(at < 500 ? at : at + 1);
        return signed({ subject: name, issuer: name, issuerKey: key, hasKeyIdentifiers }, key);
      });
      assert.deepEqual(judge(fileOf(pems)), { fault: undefined, verified: 1000 });
    });

    it(`are good in many that a new key of an issuer signed, ${manner} key identifiers`, () => {
      const issuer = 'Issuer';
      const [before, now] = [newKey(), newKey()];
      const roots = [before, now].map((issuerKey) =>
        signed({ subject: issuer, issuer, issuerKey, hasKeyIdentifiers }, issuerKey),
      );
      const under = keys.map((key, at) =>
        signed({ subject: `${at}`, issuer, issuerKey: now, hasKeyIdentifiers }, key),
      );
      const { fault, verified } = judge(fileOf([...roots, ...under]));
      assert.equal(fault, undefined);
      assert.equal(verified, hasKeyIdentifiers ? 102 : 202);
    });
  }

  it('are found at once by their key identifiers among many of one name', () => {
    const { fault, verified } = judge(namesakes(300, true));
    // The others are new authorities that an old key of their name signed
    assert.deepEqual([fault, verified], [undefined, 1]);
  });

  it('are refused when too many would have to be tried', () => {
    const { fault, verified } = judge(namesakes(300, false));
    assert.match(fault ?? '', /one name/);
    assert.equal(verified, 700);
  });

  it('are all tried in a chain of the usual length', () => {
    const file = namesakes(10, false);
    const { fault, verified } = judge(file);
    assert.equal(fault, undefined);
    assert.equal(verified, 91);
  });

  it('are no good with an exponent that takes too long', () => {
    const large = [
      '-pkeyopt',
      'rsa_keygen_bits:2048',
      '-pkeyopt',
      `rsa_keygen_pubexp:${2n ** 64n + 13n}`,
    ];
    const ca = tools.issueCa({ key: ['-algorithm', 'RSA', ...large], extensions: caExtensions });
    const leaf = tools.issue({ issuer: ca });
    const { fault, verified } = judge([leaf.certificate, ca.certificate]);
    assert.match(fault ?? '', /does not fit/);
    assert.equal(verified, 0);
  });
});
