import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { namedAuthorities } from '../../../src/identity/peer-certificates/trust.ts';
import { readCertificate } from '../../../src/x509/certificate.ts';
import { utf8String } from '../../../src/x509/der.ts';
import { forgeCertificate, nameOf } from '../../fakes/forged-certificate.ts';

const certificate = (name: string) =>
  readCertificate(forgeCertificate({ subject: nameOf(['2.5.4.3', utf8String(name)]) }));

describe('the authorities of the handshake', () => {
  it('are as many as their names have room', () => {
    const all = [certificate('a'), certificate('b')];
    assert.equal(namedAuthorities(all, 1000).length, 2);
    assert.equal(namedAuthorities(all, 40).length, 1);
    assert.equal(namedAuthorities(all, 10).length, 0);
  });

  it('are not kept out by one whose name is too long', () => {
    const long = certificate('x'.repeat(90));
    const short = certificate('a');
    assert.deepEqual(namedAuthorities([long, short], 100), [short]);
  });
});
