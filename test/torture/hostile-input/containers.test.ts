import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CredentialEndpoint } from '../../../src/manager/credential/credential-endpoint.ts';
import { openUpload, parseUpload } from '../../../src/manager/upload.ts';
import { contentFormats } from '../../../src/x509/containers.ts';
import { makeWorld, snapshot } from '../../fakes/manager-world.ts';
import { toPem } from '../../fakes/opened-content.ts';
import { campaign } from './campaign.ts';
import { derMutators, lengthMutators } from './mutate-der.ts';
import { pemMutators } from './mutate-pem.ts';
import { lineMutators, textMutators } from './mutate-text.ts';
import { byteMutators } from './mutation.ts';
import { makeSamples, password } from './samples.ts';

const samples = makeSamples();
const formatOf = (n: number) => contentFormats[n % contentFormats.length] ?? 'PEM';
const marked = (n: number, inputs: readonly Buffer[]) =>
  inputs.map((input) => Buffer.concat([Buffer.of(n), input]));

it('content of every format, under its own name or another one, is refused or becomes PEM', async () => {
  await campaign({
    name: 'container',
    corpus: [
      ...marked(0, [...samples.keys, ...samples.pairs, ...samples.pkcs7.slice(0, 1)]),
      ...marked(1, samples.certificates),
      ...marked(2, samples.pkcs7),
      ...marked(3, samples.pkcs12),
    ],
    mutators: [
      ...derMutators,
      ...lengthMutators,
      ...pemMutators,
      ...lineMutators,
      ...textMutators,
      ...byteMutators,
    ].map((change) => (input, dice, other) => {
      const first = dice.once(20) ? Buffer.of(dice.below(4)) : input.subarray(0, 1);
      return Buffer.concat([first, change(input.subarray(1), dice, other.subarray(1))]);
    }),
    attempt(input) {
      const format = formatOf(input[0] ?? 0);
      const text = openUpload({ bytes: input.subarray(1), format, password }, 65_536);
      return `${format} ${parseUpload(text, 10).certificates.length}`;
    },
  });
});

it('PKCS #12 of any elements is refused or becomes PEM', async () => {
  await campaign({
    name: 'PKCS #12',
    corpus: samples.pkcs12,
    mutators: [...derMutators, ...lengthMutators, ...byteMutators],
    attempt: (bytes) => `${toPem({ bytes, format: 'PKCS12', password }).match(/BEGIN/g)?.length}`,
  });
});

it('an upload is refused and leaves no trace, or is installed whole', async (t) => {
  const world = makeWorld();
  t.after(() => world.remove());
  const path = `${world.directory}/client.pem`;
  const endpoint = new CredentialEndpoint(
    { type: 'client', name: 'ldap', path, reload: [] },
    world.dependencies,
  );
  await endpoint.start();
  await campaign({
    name: 'upload',
    corpus: samples.pairs,
    mutators: [...pemMutators, ...lineMutators, ...textMutators],
    async attempt(input) {
      const before = snapshot(world.directory);
      try {
        await endpoint.install(input.toString());
      } catch (error) {
        assert.deepEqual(snapshot(world.directory), before, 'a refusal left a trace');
        assert.deepEqual(endpoint.list(), []);
        throw error;
      }
      const chain = endpoint.list()[0]?.chain.length;
      await endpoint.deleteAll();
      return `installed ${chain}`;
    },
  });
});
