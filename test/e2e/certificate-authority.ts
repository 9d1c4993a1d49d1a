import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { must } from './commands.ts';

/** A CA made with openssl, as an operator has one. */
export interface TestAuthority {
  readonly pem: string;
  readonly path: string;
  /** Signs a request with all of its extensions. @returns the certificate */
  sign(request: string): Promise<string>;
  /** A key and a certificate for it, made outside of the device. */
  issue(commonName: string, keyArguments: readonly string[]): Promise<{ key: string; pem: string }>;
}

export async function makeAuthority(directory: string, name: string): Promise<TestAuthority> {
  const key = join(directory, `${name}.key`);
  const path = join(directory, `${name}.pem`);
  const subject = `/O=Test, Inc./CN=${name}`;
  await must('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
    ...['-keyout', key, '-out', path, '-days', '30', '-subj', subject],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  ]);
  const pem = await must('openssl', ['x509', '-in', path]);
  const sign = (request: string) =>
    must(
      'openssl',
      ['x509', '-req', '-copy_extensions', 'copy', '-CA', path, '-CAkey', key, '-days', '20'],
      request,
    );
  return {
    pem,
    path,
    sign,
    async issue(commonName, keyArguments) {
      const keyPath = join(directory, `${commonName}.key`);
      const request = await must('openssl', [
        ...['req', '-new', ...keyArguments, '-nodes', '-keyout', keyPath],
        ...['-subj', `/CN=${commonName}`, '-addext', `subjectAltName=DNS:${commonName}`],
      ]);
      const certificate = await sign(request);
      return { key: await must('openssl', ['pkey', '-in', keyPath]), pem: certificate };
    },
  };
}

/** What `openssl x509` says of a certificate. */
export async function describeCertificate(pem: string): Promise<string> {
  return must('openssl', ['x509', '-noout', '-text', '-nameopt', 'utf8,sep_comma_plus'], pem);
}

/** Upper-case SHA-256 fingerprint with colons. */
export async function fingerprintOf(pem: string): Promise<string> {
  const line = await must('openssl', ['x509', '-noout', '-fingerprint', '-sha256'], pem);
  return line.trim().split('=')[1] ?? '';
}

export function writeText(directory: string, name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}
