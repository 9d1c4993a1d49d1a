import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { missingIntermediate, missingIssuer } from '../../../src/manager/checks/completeness.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';

const tools = opensslAuthority();
after(() => tools.remove());

const root = tools.issueCa({ subject: '/CN=Root' });
const intermediate = tools.issueCa({ subject: '/CN=Intermediate', issuer: root });
const below = tools.issue({ issuer: intermediate, subject: '/CN=below' }).certificate;
const direct = tools.issue({ issuer: root, subject: '/CN=direct' }).certificate;
const own = tools.issue({ subject: '/CN=own' }).certificate;
const [rootCa, intermediateCa] = [root.certificate, intermediate.certificate];

describe('a server without its intermediate', () => {
  const rows = [
    {
      what: 'its chain has the issuer',
      leaf: below,
      chain: [intermediateCa],
      known: [],
      says: undefined,
    },
    { what: 'it signed itself', leaf: own, chain: [], known: [], says: undefined },
    { what: 'its issuer is a root', leaf: direct, chain: [], known: [rootCa], says: undefined },
    {
      what: 'its issuer is known as an intermediate',
      leaf: below,
      chain: [],
      known: [rootCa, intermediateCa],
      says: /^its issuer CN=Intermediate is an intermediate CA, and is not served with it$/,
    },
    {
      what: 'its issuer is not known',
      leaf: below,
      chain: [rootCa],
      known: [],
      says: /^its issuer CN=Intermediate is not served with it; clients that do not have that CA/,
    },
  ];
  for (const { what, leaf, chain, known, says } of rows) {
    it(`${says ? 'is one' : 'is none'} when ${what}`, () => {
      const advice = missingIntermediate(leaf, chain, known);
      if (says) assert.match(advice?.text ?? '', says);
      else assert.equal(advice, undefined);
    });
  }
});

describe('an authority without its issuer', () => {
  it('is an intermediate whose root is not in the truststore', () => {
    assert.match(
      missingIssuer(intermediateCa, [intermediateCa])?.text ?? '',
      /CN=Root is not in the/,
    );
  });

  it('is none when the issuer is there, or it is a root', () => {
    assert.equal(missingIssuer(intermediateCa, [rootCa, intermediateCa]), undefined);
    assert.equal(missingIssuer(rootCa, [rootCa]), undefined);
  });
});
