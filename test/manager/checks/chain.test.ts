import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { selectChain } from '../../../src/manager/checks/chain.ts';
import { parseUpload } from '../../../src/manager/upload.ts';
import { keyKinds, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { infoOf, newKey, quickCertificate } from '../../fakes/quick-certificate.ts';
import { countingVerifications } from '../../fakes/verifications.ts';

const authority = opensslAuthority();
after(() => authority.remove());

const now = Date.now() / 1000;

/** A leaf, the authority that signed it, and so many others of the name of that authority. */
function namesakes(count: number, hasKeyIdentifiers: boolean) {
  const [issuerKey, leafKey] = [newKey(), newKey()];
  const names = { subject: 'CA', issuer: 'CA', isCa: true, hasKeyIdentifiers };
  const leaf = quickCertificate({
    ...names,
    ...{ subject: 'leaf', info: infoOf(leafKey), issuerKey, isCa: false },
  });
  const strangers = Array.from({ length: count }, () => {
    const key = newKey();
    return quickCertificate({ ...names, info: infoOf(key), issuerKey: key });
  });
  const issuer = quickCertificate({ ...names, info: infoOf(issuerKey), issuerKey });
  const file = [leaf, ...strangers, issuer];
  return { leaf, issuer, file: parseUpload(file.join(''), file.length).certificates };
}

describe('the chain of a leaf', () => {
  for (const hasKeyIdentifiers of [true, false]) {
    const manner = hasKeyIdentifiers ? 'with' : 'without';
    it(`is found among three hundred authorities of one name, ${manner} key identifiers`, () => {
      const { issuer, file } = namesakes(300, hasKeyIdentifiers);
      const { result, verified } = countingVerifications(() => {
        const [leaf] = file;
        assert.ok(leaf);
        return selectChain(leaf, file, now);
      });
      assert.deepEqual(
        result.chain.map(({ pem }) => pem),
        [issuer],
      );
      assert.equal(result.leftOut.length, 300);
      // Those that could have signed the leaf, and those that could have signed its issuer
      assert.ok(verified <= 2 * file.length, `${verified} signatures were verified`);
    });
  }

  for (const [what, shape, alone] of [
    ['of another kind than its issuer', { key: keyKinds.rsa(2048) }, undefined],
    ['of the kind of its issuer', {}, /is not by its own key.*not in the file/],
  ] as const) {
    it(`is found for a leaf with the name of its CA and no key identifiers, whose key is ${what}`, () => {
      const extensions = ['basicConstraints=critical,CA:TRUE'];
      const subject = '/CN=bmc7.example.com';
      const ca = authority.issueCa({ subject, extensions });
      const { pem } = authority.issue({ issuer: ca, subject, extensions: [], ...shape });
      const chainOf = (file: string) => {
        const { certificates } = parseUpload(file, 2);
        const [leaf] = certificates;
        assert.ok(leaf);
        return selectChain(leaf, certificates, now);
      };
      assert.deepEqual(
        chainOf(pem + ca.pem).chain.map((one) => one.pem),
        [ca.pem],
      );
      const { fault } = chainOf(pem);
      if (alone) assert.match(String(fault), alone);
      else assert.equal(fault, undefined);
    });
  }

  it('has a fault where it would take many more than two for each certificate', () => {
    const last = newKey();
    const names = { subject: 'CA', issuer: 'CA', issuerKey: last, isCa: true };
    const pems = Array.from({ length: 300 }, () =>
      quickCertificate({ ...names, info: infoOf(last), hasKeyIdentifiers: false }),
    );
    const file = parseUpload(pems.join(''), pems.length).certificates;
    const { result, verified } = countingVerifications(() => {
      const [leaf] = file;
      assert.ok(leaf);
      return selectChain(leaf, file, now);
    });
    assert.match(String(result.fault), /too many of its certificates have one name/);
    assert.ok(verified <= 2 * 300 + 100, `${verified} signatures were verified`);
  });
});
