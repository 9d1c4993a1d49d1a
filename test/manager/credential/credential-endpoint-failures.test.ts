import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CredentialEndpoint } from '../../../src/manager/credential/credential-endpoint.ts';
import type { EndpointDefinition } from '../../../src/manager/endpoint-definition.ts';
import {
  csrParameters,
  makeWorld,
  recordEvents,
  snapshot,
  type World,
} from '../../fakes/manager-world.ts';
import { nothingReplaces } from '../../fakes/moody-disk.ts';
import { refusal } from '../../fakes/refusal.ts';
import { textOf, threeCredentials } from '../../fakes/three-credentials.ts';

const { tools, root, one, two, three } = threeCredentials();

for (const type of ['server', 'client'] as const) {
  describe(`a ${type} endpoint in trouble`, () => {
    let world: World;
    let definition: EndpointDefinition;
    let endpoint: CredentialEndpoint;
    let events: string[];
    const listed = () => endpoint.list().map(({ certificate }) => certificate.pem);

    beforeEach(async () => {
      world = makeWorld();
      const path = join(world.directory, 'state', 'pair.pem');
      definition = { type, name: 'pair', path, reload: [] };
      endpoint = new CredentialEndpoint(definition, world.dependencies);
      await endpoint.start();
      if (type === 'server') await endpoint.replace('1', textOf(one));
      else await endpoint.install(textOf(one));
      events = recordEvents(endpoint);
      world.reloads.length = 0;
    });
    afterEach(() => world.remove());

    const changes: [string, () => Promise<unknown>][] = [
      ['replace', () => endpoint.replace('1', textOf(two))],
      ['delete', () => endpoint.delete('1')],
      ['deleteAll', () => endpoint.deleteAll()],
    ];
    for (const [what, change] of changes) {
      it(`is as it was after a ${what} that cannot be written, and works when it can`, async () => {
        const state = dirname(definition.path);
        const moved = join(world.directory, 'moved');
        renameSync(state, moved);
        writeFileSync(state, 'a file in place of the directory');
        const before = snapshot(moved);
        await assert.rejects(change(), refusal('storage'));
        assert.deepEqual(listed(), [one.pem]);
        assert.deepEqual(events, []);
        assert.deepEqual(world.reloads, []);
        assert.deepEqual(snapshot(moved), before);

        rmSync(state);
        renameSync(moved, state);
        await change();
        assert.notDeepEqual(listed(), [one.pem]);
        assert.deepEqual(world.reloads, ['pair']);
      });
    }

    it('leaves no temporary file when the target cannot be replaced', async () => {
      const undo = nothingReplaces(definition.path);
      const change = endpoint.replace('1', textOf(two)).finally(undo);
      await assert.rejects(change, refusal('storage'));
      assert.deepEqual(listed(), [one.pem]);
      assert.deepEqual(readdirSync(dirname(definition.path)), ['pair.pem']);
    });

    it('replaces a directory that is in place of the file, and keeps what is in it', async () => {
      rmSync(definition.path);
      mkdirSync(join(definition.path, 'in it'), { recursive: true });
      await endpoint.replace('1', textOf(two));
      assert.deepEqual(listed(), [two.pem]);
      assert.equal(readFileSync(definition.path, 'utf8'), textOf(two));
      assert.deepEqual(readdirSync(`${definition.path}.refused`), ['in it']);
    });

    it('does changes that come at once one after another', async () => {
      const results = await Promise.allSettled([
        endpoint.replace('1', textOf(two)),
        endpoint.replace('1', two.key + one.pem),
        endpoint.delete('1'),
        endpoint.replace('1', textOf(three)),
        endpoint.install(textOf(one)),
      ]);
      const states = results.map(({ status }) => status);
      const expected = {
        server: ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'rejected'],
        client: ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
      };
      assert.deepEqual(states, expected[type]);
      const last = type === 'server' ? three : one;
      assert.deepEqual(listed(), [last.pem]);
      assert.equal(readFileSync(definition.path, 'utf8'), textOf(last));
    });

    it('makes requests while it changes, and keeps their keys', async () => {
      const [request] = await Promise.all([
        endpoint.requests.make(csrParameters({ CommonName: 'bmc' })),
        endpoint.replace('1', textOf(two)),
        endpoint.requests.make(csrParameters({ CommonName: 'other' })),
      ]);
      await endpoint.replace('1', tools.sign(request, root));
      assert.equal(world.reloads.length, 2);
    });

    it('answers with a storage error when no request can be written', async () => {
      rmSync(`${definition.path}.requests`, { recursive: true, force: true });
      writeFileSync(`${definition.path}.requests`, 'a file in place of the directory');
      await assert.rejects(endpoint.requests.make(csrParameters()), refusal('storage'));
    });
  });
}

describe('a server endpoint without a place to write to', () => {
  it('starts, says what is wrong, and makes a certificate as soon as it can', async () => {
    const world = makeWorld();
    const state = join(world.directory, 'state');
    writeFileSync(state, 'a file in place of the directory');
    const path = join(state, 'server.pem');
    const definition: EndpointDefinition = { type: 'server', name: 'https', path, reload: [] };
    const endpoint = new CredentialEndpoint(definition, world.dependencies);
    try {
      await endpoint.start();
      assert.deepEqual(endpoint.list(), []);
      assert.ok(world.logged.some(({ level }) => level === 'error'));
      rmSync(state);
      await endpoint.maintain();
      assert.equal(endpoint.list().length, 1);
    } finally {
      world.remove();
    }
  });
});
