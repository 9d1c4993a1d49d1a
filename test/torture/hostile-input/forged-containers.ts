import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { decode, encode, oid, sequence, unsignedInteger } from '../../../src/x509/der.ts';
import { formatPem } from '../../../src/x509/pem.ts';
import { openssl } from '../../fakes/openssl-authority.ts';
import { commonName, element, forge, keyPem, nameOf, pem } from './forged-anything.ts';
import { encodedText } from './nasty-fields.ts';

/** Each signed by the key that all have; the last is issued by the first when it is to be a loop. */
export const chain = (length: number, isLoop: boolean) =>
  Array.from({ length }, (_, n) => {
    const issuer = n + 1 < length ? n + 1 : isLoop ? 0 : n;
    return pem(
      forge({
        subject: nameOf([commonName, encodedText(`CA ${n}`)]),
        issuer: nameOf([commonName, encodedText(`CA ${issuer}`)]),
      }),
    );
  }).join('');

export const signedData = (certificates: Buffer) =>
  element(
    0x30,
    encode(oid('1.2.840.113549.1.7.2')),
    element(
      0xa0,
      element(
        0x30,
        Buffer.of(2, 1, 1, 0x31, 0),
        encode(sequence(oid('1.2.840.113549.1.7.1'))),
        certificates,
        Buffer.of(0x31, 0),
      ),
    ),
  );

const rounds = 0x7fffffff;
const pbkdf2 = element(
  0x30,
  element(0x04, Buffer.alloc(8)),
  element(0x02, Buffer.from(rounds.toString(16), 'hex')),
);
export const slowKey = formatPem(
  'ENCRYPTED PRIVATE KEY',
  element(
    0x30,
    element(
      0x30,
      encode(oid('1.2.840.113549.1.5.13')),
      element(
        0x30,
        element(0x30, encode(oid('1.2.840.113549.1.5.12')), pbkdf2),
        element(0x30, encode(oid('2.16.840.1.101.3.4.1.42')), element(0x04, Buffer.alloc(16))),
      ),
    ),
    element(0x04, Buffer.alloc(32)),
  ),
);
export const slowPkcs12 = element(
  0x30,
  Buffer.of(2, 1, 3),
  element(
    0x30,
    encode(oid('1.2.840.113549.1.7.1')),
    element(0xa0, element(0x04, Buffer.of(0x30, 0))),
  ),
  element(
    0x30,
    element(0x30, encode(sequence(oid('1.3.14.3.2.26'))), element(0x04, Buffer.alloc(20))),
    element(0x04, Buffer.alloc(8)),
    element(0x02, Buffer.from(rounds.toString(16), 'hex')),
  ),
);
const info = (id: string, content: Buffer) =>
  element(0x30, encode(oid(id)), element(0xa0, content));
const dataId = '1.2.840.113549.1.7.1';
const pkcs12Of = (contents: Buffer) =>
  element(0x30, Buffer.of(2, 1, 3), info(dataId, element(0x04, element(0x30, contents))));
export const pkcs12 = (bags: Buffer) => pkcs12Of(info(dataId, element(0x04, bags)));
export const keyBag = info('1.2.840.113549.1.12.10.1.1', element(0x30, Buffer.of(2, 1, 0)));
export const pkcs12WithRc2 = (bytes: Buffer) => {
  const parameters = element(0x30, element(0x04, Buffer.alloc(8)), Buffer.of(2, 1, 1));
  const algorithm = element(0x30, encode(oid('1.2.840.113549.1.12.1.6')), parameters);
  const sealed = element(0x30, encode(oid(dataId)), algorithm, element(0x80, bytes));
  return pkcs12Of(info('1.2.840.113549.1.7.6', element(0x30, Buffer.of(2, 1, 0), sealed)));
};
export const wrongHalf = () => {
  const der = createPrivateKey(keyPem).export({ type: 'pkcs8', format: 'der' });
  der.writeUInt8(der.readUInt8(40) ^ 1, 40);
  return formatPem('PRIVATE KEY', der);
};
const ecAlgorithm = sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7'));
export const outside = () => {
  const number = element(0x04, Buffer.alloc(33, 0xff));
  const key = element(0x30, Buffer.of(2, 1, 1), number);
  return formatPem(
    'PRIVATE KEY',
    element(0x30, Buffer.of(2, 1, 0), encode(ecAlgorithm), element(0x04, key)),
  );
};
export const endless = () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const key = decode(rsa.export({ type: 'pkcs1', format: 'der' }));
  const numbers = Array.isArray(key.value) ? key.value : [];
  const prime = unsignedInteger(Buffer.alloc(6250, 0xff));
  return formatPem('RSA PRIVATE KEY', encode(sequence(...numbers.toSpliced(4, 1, prime))));
};
const scryptParameters = element(
  0x30,
  element(0x04, Buffer.alloc(8)),
  ...[1, 2, 3].map(() => Buffer.of(0x22, 0)),
);
export const scryptKey = formatPem(
  'ENCRYPTED PRIVATE KEY',
  element(
    0x30,
    element(
      0x30,
      encode(oid('1.2.840.113549.1.5.13')),
      element(0x30, element(0x30, encode(oid('1.3.6.1.4.1.11591.4.11')), scryptParameters)),
    ),
    element(0x04, Buffer.alloc(32)),
  ),
);
export const sec1 = () => openssl(['ec'], keyPem);
export const explicit = () => openssl(['ec', '-param_enc', 'explicit'], keyPem);
export const encrypted = () =>
  openssl(['pkcs8', '-topk8', '-passout', 'pass:x', '-iter', '2'], keyPem);
