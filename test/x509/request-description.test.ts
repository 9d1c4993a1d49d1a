import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { parsePem } from '../../src/x509/pem.ts';
import { describeRequest } from '../../src/x509/request-description.ts';
import { openssl, opensslAuthority } from '../fakes/openssl-authority.ts';
import { refusal } from '../fakes/refusal.ts';

const tools = opensslAuthority();
after(() => tools.remove());
const key = tools.write('key.pem', tools.issue().key);

const describeMade = (...args: string[]) => {
  const [block] = parsePem(openssl(['req', '-new', '-key', key, ...args]));
  const { alternativeNames, keyUsage, publicKey } = describeRequest(block?.der ?? Buffer.alloc(0));
  const names = alternativeNames.map(({ value }) => value);
  return { names, keyUsage, kind: publicKey.asymmetricKeyType };
};

describe('what a request asks for', () => {
  it('is read from its extensions', () => {
    const names = ['-addext', 'subjectAltName=DNS:bmc.example.com,IP:192.0.2.1'];
    const usages = [
      '-addext',
      'keyUsage=digitalSignature',
      '-addext',
      'extendedKeyUsage=serverAuth',
    ];
    assert.deepEqual(describeMade('-subj', '/CN=bmc', ...names, ...usages), {
      names: ['bmc.example.com', '192.0.2.1'],
      keyUsage: ['DigitalSignature', 'ServerAuthentication'],
      kind: 'ec',
    });
  });

  it('may be nothing but a key', () => {
    assert.deepEqual(describeMade('-subj', '/'), { names: [], keyUsage: [], kind: 'ec' });
  });

  it('is refused where it is no request', () => {
    const der = Buffer.from('30030201 00'.replace(' ', ''), 'hex');
    assert.throws(() => describeRequest(der), refusal('argument-invalid', /no readable PKCS #10/));
  });
});
