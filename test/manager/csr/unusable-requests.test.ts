import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, describe, it } from 'node:test';
import { AuthorityEndpoint } from '../../../src/manager/truststore/authority-endpoint.ts';
import { makeWorld, type World } from '../../fakes/manager-world.ts';
import { diskError, onDisk } from '../../fakes/moody-disk.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';

const tools = opensslAuthority();
after(() => tools.remove());
const ca = tools.issueCa();

let world: World;
afterEach(() => world.remove());

describe('a truststore whose directory of requests the disk refuses', () => {
  it('is in service all the same, and looks after its requests when the disk is well', async () => {
    world = makeWorld();
    const path = join(world.directory, 'authority');
    const definition = { type: 'authority', name: 'truststore', path, reload: [] } as const;
    const before = new AuthorityEndpoint(definition, world.dependencies);
    await before.start();
    await before.install(ca.pem);
    before.stop();
    const request = join(`${path}.requests`, 'a'.repeat(64));
    const unfinished = join(request, '.created.0123456789ab.new');
    mkdirSync(request, { recursive: true });
    for (const file of [join(request, 'key.pem'), join(request, 'created'), unfinished])
      writeFileSync(file, '');

    const undo = onDisk('rm', (real) => (which, options) => {
      const isRefused = String(which).startsWith(`${path}.requests`);
      return isRefused ? Promise.reject(diskError('EIO')) : real(which, options);
    });
    const endpoint = new AuthorityEndpoint(definition, world.dependencies);
    try {
      await endpoint.start();
      const trusted = endpoint.list().map(({ certificate }) => certificate.pem);
      assert.deepEqual(trusted, [ca.pem]);
      await endpoint.maintain();
      assert.ok(existsSync(unfinished));
    } finally {
      undo();
    }
    await endpoint.maintain();
    assert.ok(!existsSync(unfinished));
    endpoint.stop();
  });
});
