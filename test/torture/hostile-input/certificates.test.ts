import { it } from 'node:test';
import { readCertificate } from '../../../src/x509/certificate.ts';
import { requestedKeyInfo } from '../../../src/x509/certification-request.ts';
import { DerError, decode, encode } from '../../../src/x509/der.ts';
import { readPrivateKey } from '../../../src/x509/keys.ts';
import { formatPem, parsePem } from '../../../src/x509/pem.ts';
import { campaign, isManagersRefusal } from './campaign.ts';
import { derMutators, lengthMutators } from './mutate-der.ts';
import { lineMutators, textMutators } from './mutate-text.ts';
import { byteMutators } from './mutation.ts';
import { makeSamples } from './samples.ts';
import { shownEverywhere, useOfKey } from './what-is-shown.ts';

const samples = makeSamples();
const isDerError = (error: unknown) => error instanceof DerError;
const pems = [
  ...samples.pairs,
  ...samples.keys,
  ...samples.pkcs7.slice(0, 1),
  Buffer.from(`Bag Attributes\n  x: y\n${formatPem('CERTIFICATE', Buffer.alloc(50))}`),
];

it('text that may be PEM is split into blocks or refused', async () => {
  await campaign({
    name: 'pem',
    corpus: pems,
    mutators: [...lineMutators, ...textMutators, ...byteMutators],
    attempt: (input) =>
      parsePem(input.toString())
        .map(({ label, encrypted }) => `${label} ${encrypted}`)
        .join(),
  });
});

it('bytes that may be DER are decoded to what encodes to the same bytes, or refused', async () => {
  await campaign({
    name: 'der',
    corpus: [...samples.certificates, ...samples.requests, ...samples.pkcs12],
    mutators: [...derMutators, ...lengthMutators, ...byteMutators],
    isRefusal: isDerError,
    attempt(input) {
      if (encode(decode(input)).equals(input)) return 'the same';
      throw new Error('it came to mean something else');
    },
  });
});

const ofCertificates = {
  corpus: samples.certificates,
  attempt: (input: Buffer) => shownEverywhere(readCertificate(input)),
};

it('certificates of any bytes are refused, or shown everywhere', async () => {
  await campaign({ name: 'certificate, of bytes', ...ofCertificates, mutators: byteMutators });
});

it('certificates of any elements are refused, or shown everywhere', async () => {
  await campaign({ name: 'certificate, of elements', ...ofCertificates, mutators: derMutators });
});

it('certificates with any lengths are refused, or shown everywhere', async () => {
  await campaign({ name: 'certificate, of lengths', ...ofCertificates, mutators: lengthMutators });
});

it('private keys are refused, or sign and are written', async () => {
  const leaf = readCertificate(samples.certificates[0] ?? Buffer.alloc(0));
  const blocks = samples.keys.flatMap((pem) => parsePem(pem.toString()));
  const plain = blocks.filter(({ label }) => !label.includes('ENCRYPTED'));
  await campaign({
    name: 'private key',
    corpus: plain.map(({ der }) => der),
    mutators: [...derMutators, ...byteMutators],
    attempt(input) {
      const labels = ['PRIVATE KEY', 'EC PRIVATE KEY', 'RSA PRIVATE KEY'];
      const label = labels[input.length % 3] ?? '';
      const [block] = parsePem(formatPem(label, input));
      return block ? useOfKey(readPrivateKey(block), leaf) : 'empty';
    },
  });
});

it('certification requests tell the key that they are for, or are refused', async () => {
  await campaign({
    name: 'certification request',
    corpus: samples.requests,
    mutators: [...derMutators, ...byteMutators],
    isRefusal: (error) => isDerError(error) || isManagersRefusal(error),
    attempt: (input) => `${requestedKeyInfo(input).length > 0}`,
  });
});
