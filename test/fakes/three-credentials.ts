import { after } from 'node:test';
import { type Issued, opensslAuthority } from './openssl-authority.ts';

/** Three credentials of one CA, for the tests of a file. */
export function threeCredentials() {
  const tools = opensslAuthority();
  after(() => tools.remove());
  const root = tools.issueCa();
  const named = (name: string) => tools.issue({ issuer: root, subject: `/CN=${name}` });
  return { tools, root, one: named('one'), two: named('two'), three: named('three') };
}

/** The file of a credential. */
export function textOf({ key, pem }: Pick<Issued, 'key' | 'pem'>): string {
  return key + pem;
}
