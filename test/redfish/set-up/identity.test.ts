import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { fingerprintOf, formatCredential } from '../../../src/tls/credential.ts';
import { curl } from '../../e2e/redfish-client.ts';
import { makeCredential } from '../../fakes/credentials.ts';
import { type OpensslAuthority, opensslAuthority } from '../../fakes/openssl-authority.ts';
import { type RedfishProcess, shownBy, startRedfish } from '../../fakes/redfish-program.ts';
import { fileStates } from '../../tls/file-states.ts';

/** Nothing listens there. */
const noBus = 'unix:path=/nonexistent/bus';

/** One of each kind; a test of the identity itself has all of them. */
const kinds = ['nothing', 'an empty file', 'an issuer that OpenSSL refuses', 'a FIFO', 'a device'];

describe('the service without a bus and without a manager', () => {
  let openssl: OpensslAuthority;
  let directory: string;
  let path: string;
  let service: RedfishProcess | undefined;

  before(() => {
    openssl = opensslAuthority();
  });
  after(() => openssl.remove());
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'redfish-'));
    path = join(directory, 'https', 'server.pem');
    mkdirSync(join(directory, 'https'));
  });
  afterEach(async () => {
    await service?.stop();
    service = undefined;
    rmSync(directory, { recursive: true });
  });

  const start = async () => {
    await service?.stop('SIGKILL');
    service = await startRedfish(directory, noBus);
    return service;
  };
  const answers = async ({ url }: RedfishProcess) => (await curl(`${url}/redfish/v1`)).status;

  const states = fileStates(() => openssl).filter(({ what }) => kinds.includes(what));
  for (const { what, make, reason } of states) {
    it(`comes up with a certificate in memory, whose fingerprint is in the log, at ${what}`, async () => {
      make(path);
      const running = await start();
      const [shown] = await shownBy(running);
      const line = running.output().match(/.*self-signed TLS certificate in memory.*/)?.[0] ?? '';
      assert.ok(shown !== undefined && line.includes(shown), running.output());
      assert.match(line, reason);
      assert.equal(await answers(running), 200);
    });

    it(`comes up with the last good certificate at ${what}`, async () => {
      const good = makeCredential('good');
      writeFileSync(path, formatCredential(good));
      assert.deepEqual(await shownBy(await start()), [fingerprintOf(good)]);
      await service?.stop();
      rmSync(path);
      make(path);
      const running = await start();
      assert.deepEqual(await shownBy(running), [fingerprintOf(good)]);
      const line = running.output().match(/.*last good TLS certificate is served.*/)?.[0] ?? '';
      assert.match(line, reason);
      assert.equal(await answers(running), 200);
    });
  }
});
