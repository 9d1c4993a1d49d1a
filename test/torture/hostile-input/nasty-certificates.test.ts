import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { CertError } from '../../../src/core/cert-error.ts';
import { CredentialEndpoint } from '../../../src/manager/credential/credential-endpoint.ts';
import type { Endpoint } from '../../../src/manager/endpoint.ts';
import { AuthorityEndpoint } from '../../../src/manager/truststore/authority-endpoint.ts';
import { openUpload } from '../../../src/manager/upload.ts';
import { makeWorld, snapshot, type World } from '../../fakes/manager-world.ts';
import { figure } from '../extent.ts';
import { nastyEncodings } from './nasty-encodings.ts';
import { nastyFields } from './nasty-fields.ts';
import { nastyFiles } from './nasty-files.ts';
import { nastyKeys } from './nasty-keys.ts';
import type { Nasty } from './nasty-row.ts';
import { shownEverywhere } from './what-is-shown.ts';

const all: readonly Nasty[] = [...nastyKeys, ...nastyFields, ...nastyEncodings, ...nastyFiles];
const uploadBytes = 4_194_304;
/** What holds up everybody else for longer is a finding, also where other tests have the processor too. */
const maxMilliseconds = 1500;

for (const to of ['authority', 'client', 'server'] as const) {
  describe(`at an endpoint of the type ${to}`, () => {
    for (const nasty of all.filter((one) => one.to === to)) {
      const verdict = nasty.verdict === 'accepted' ? 'accepted' : `refused: ${nasty.verdict}`;
      it(`${nasty.what} is ${verdict} (${nasty.because})`, async () => {
        const world = makeWorld({ limits: { uploadBytes } });
        try {
          await judge(world, nasty);
        } finally {
          world.remove();
        }
      });
    }
  });
}

it('no row of the table says the same as another', () => {
  assert.equal(new Set(all.map(({ what }) => what)).size, all.length);
  figure('hostile-input', 'nasty certificates', all.length);
});

async function judge(world: World, { to, content, format = 'PEM', password = '', verdict }: Nasty) {
  const path = join(world.directory, to, to === 'authority' ? 'certs' : 'pair.pem');
  mkdirSync(dirname(path));
  const definition = { type: to, name: 'x', path, reload: [] };
  const make = () =>
    to === 'authority'
      ? new AuthorityEndpoint(definition, world.dependencies)
      : new CredentialEndpoint(definition, world.dependencies);
  const endpoint: Endpoint = make();
  await endpoint.start();
  const before = [snapshot(world.directory), endpoint.list()];
  const [first] = endpoint.list();
  const bytes = content();
  const began = process.cpuUsage();
  const attempt = async () => {
    const text = openUpload({ bytes, format, password }, uploadBytes);
    return first ? endpoint.replace(first.id, text) : endpoint.install(text);
  };
  const outcome = await attempt().catch((error: unknown) => {
    assert.ok(error instanceof CertError, `not a CertError: ${String(error)}`);
    return error;
  });
  const { user, system } = process.cpuUsage(began);
  const spent = (user + system) / 1000;
  assert.ok(spent < maxMilliseconds, `it took ${spent} ms`);
  endpoint.stop();
  if (outcome instanceof CertError) {
    assert.equal(outcome.code, verdict, outcome.message);
    assert.deepEqual(
      [snapshot(world.directory), endpoint.list()],
      before,
      'a refusal left a trace',
    );
    return;
  }
  assert.equal(verdict, 'accepted', `it was accepted`);
  shownEverywhere(outcome.certificate);
  for (const one of outcome.chain) shownEverywhere(one);
  const again = make();
  await again.start();
  again.stop();
  assert.deepEqual(
    again.list().map(({ certificate }) => certificate.pem),
    endpoint.list().map(({ certificate }) => certificate.pem),
    'it is another one after a restart',
  );
}
