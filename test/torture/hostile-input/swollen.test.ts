import assert from 'node:assert/strict';
import { it } from 'node:test';
import { planRequest } from '../../../src/manager/csr/plan.ts';
import { openUpload, parseUpload } from '../../../src/manager/upload.ts';
import { readCertificate } from '../../../src/x509/certificate.ts';
import type { ContentFormat } from '../../../src/x509/containers.ts';
import { parseGeneralName } from '../../../src/x509/general-names.ts';
import { formatPem } from '../../../src/x509/pem.ts';
import { csrParameters } from '../../fakes/manager-world.ts';
import { processorTime } from '../../fakes/processor-time.ts';
import { extent, figure } from '../extent.ts';
import { isManagersRefusal } from './campaign.ts';
import { makeDice, seed } from './dice.ts';
import { makeSamples, password } from './samples.ts';
import { swollen, swollenTexts } from './swell.ts';
import { shownEverywhere } from './what-is-shown.ts';

/** What takes the square of its size takes many times as long. */
const maxMilliseconds = 1000;
const samples = makeSamples();
const pemOf = (der: Buffer) => Buffer.from(formatPem('CERTIFICATE', der));

it('certificates with any field as large as can be are refused or shown in no time', () => {
  tryAll('certificates with a large field', samples.certificates.flatMap(swollen), (input) => {
    const text = openUpload({ bytes: pemOf(input), format: 'PEM', password: '' }, 1_048_576);
    for (const one of parseUpload(text, 10).certificates) shownEverywhere(one);
    readCertificate(input);
  });
});

for (const format of ['PKCS7', 'PKCS12'] as const satisfies readonly ContentFormat[]) {
  const corpus = format === 'PKCS7' ? samples.pkcs7 : samples.pkcs12;
  it(`${format} with any element as large as can be is refused or opened in no time`, () => {
    tryAll(`${format} with a large element`, corpus.flatMap(swollen), (bytes) => {
      parseUpload(openUpload({ bytes, format, password }, 1_048_576), 10);
    });
  });
}

it('files of one character for the most part are refused in no time', () => {
  const texts = swollenTexts(900_000).flatMap((text) =>
    ['', '-----BEGIN CERTIFICATE-----\n'].map((head) => () => Buffer.from(head + text, 'latin1')),
  );
  tryAll('files of one character', texts, (bytes) => {
    parseUpload(openUpload({ bytes, format: 'PEM', password }, 1_048_576), 10);
  });
});

it('alternative names and fields of a request as long as can be are refused in no time', () => {
  const fields = [
    'CommonName',
    'Email',
    'Surname',
    'ChallengePassword',
    'UnstructuredName',
    'City',
  ];
  const prefixes = ['', 'DNS:', 'IP:', 'email:', 'URI:', 'URI:a://', 'email:a@', 'DNS:ü'];
  const texts = swollenTexts().map((text) => () => Buffer.from(text, 'latin1'));
  tryAll('texts of one character', texts, (input) => {
    const text = input.toString('latin1');
    for (const prefix of prefixes) parseGeneralName(prefix + text);
    for (const field of fields) {
      try {
        planRequest(csrParameters({ [field]: text }), 'server');
      } catch (error) {
        if (!isManagersRefusal(error)) throw error;
      }
    }
  });
});

/** Some of them by chance, or all in the long form. @throws for the first that is neither refused nor quick */
function tryAll(
  name: string,
  inputs: readonly (() => Buffer)[],
  attempt: (input: Buffer) => void,
): void {
  const dice = makeDice(`${seed}/${name}`);
  const some = () => Array.from({ length: 120 }, () => dice.pick(inputs));
  const chosen = inputs.length > 120 ? extent({ quick: some, long: () => inputs })() : inputs;
  let slowest = 0;
  for (const make of chosen) {
    const input = make();
    const began = performance.now();
    judged(attempt, input);
    let taken = performance.now() - began;
    // Again, by the processor's time, when the machine was busy
    if (taken > maxMilliseconds) taken = processorTime(() => judged(attempt, input));
    const shown = `${input.subarray(0, 60).toString('hex')}… of ${input.length} bytes`;
    assert.ok(taken <= maxMilliseconds, `${shown} took ${taken.toFixed(0)} ms`);
    slowest = Math.max(slowest, taken);
  }
  figure('hostile-input', name, `${chosen.length} inputs, slowest ${slowest.toFixed(0)} ms`);
}

function judged(attempt: (input: Buffer) => void, input: Buffer): void {
  try {
    attempt(input);
  } catch (error) {
    if (!isManagersRefusal(error)) throw error;
  }
}
