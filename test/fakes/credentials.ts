import { generateCertificate } from '../../src/manager/credential/generated-certificate.ts';
import { type Credential, formatCredential } from '../../src/tls/credential.ts';
import { exportPrivateKey } from '../../src/x509/keys.ts';

/** A key with a self-signed certificate for a name, which begins so many milliseconds from now. */
export function makeCredential(commonName: string, beginsIn = 0): Credential {
  const policy = {
    validDays: 397,
    renewBeforeDays: 1,
    curve: 'prime256v1',
    organization: 'Test',
  } as const;
  const host = { hostName: commonName, addresses: [] };
  const { key, leaf } = generateCertificate(host, policy, Date.now() + beginsIn);
  return { key: exportPrivateKey(key), certificate: leaf, chain: [] };
}

/** The PEM file of such a credential. */
export function makePair(commonName: string): string {
  return formatCredential(makeCredential(commonName));
}

/** A file with a certificate and the key of another one. */
export function makeMismatch(): string {
  return formatCredential({ ...makeCredential('a'), key: makeCredential('b').key });
}
