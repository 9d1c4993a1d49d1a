import assert from 'node:assert/strict';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { CredentialEndpoint } from '../../src/manager/credential/credential-endpoint.ts';
import type { EndpointDefinition } from '../../src/manager/endpoint-definition.ts';
import { until } from '../e2e/commands.ts';
import { csrParameters, makeWorld, recordEvents, type World } from '../fakes/manager-world.ts';
import { certificateOf } from '../fakes/openssl-authority.ts';
import { textOf, threeCredentials } from '../fakes/three-credentials.ts';

const { tools, root, one, two } = threeCredentials();
const mark = (pem: string) => certificateOf(pem).fingerprint.slice(0, 8);

for (const type of ['server', 'client'] as const) {
  describe(`the certificate file of a ${type} endpoint`, () => {
    let world: World;
    let definition: EndpointDefinition;
    let endpoint: CredentialEndpoint;
    let events: string[];
    const published = () => endpoint.list().map(({ certificate }) => mark(certificate.pem));
    const publishes = (pem: string) => until('it is published', () => published()[0] === mark(pem));
    const logged = (message: string) => world.logged.filter((entry) => entry.message === message);
    const isLogged = (message: string) =>
      until(`the log says: ${message}`, () => logged(message).length > 0);
    const text = () => readFileSync(definition.path, 'utf8');
    const refused = () =>
      readdirSync(dirname(definition.path)).filter((name) => name.endsWith('.refused'));

    beforeEach(async () => {
      world = makeWorld({ watch: { settle: 20, grace: 100 } });
      definition = { type, name: 'any', path: join(world.directory, 'at', 'pair.pem'), reload: [] };
      mkdirSync(dirname(definition.path));
      writeFileSync(definition.path, textOf(one));
      endpoint = new CredentialEndpoint(definition, world.dependencies);
      await endpoint.start();
      events = recordEvents(endpoint);
    });
    afterEach(() => {
      endpoint.stop();
      world.remove();
    });

    it('is published and told to the services when it is replaced by rename', async () => {
      writeFileSync(`${definition.path}.aside`, textOf(two));
      renameSync(`${definition.path}.aside`, definition.path);
      await publishes(two.pem);
      await until('the services are told', () => world.reloads.length > 0);
      assert.deepEqual(events, [`changed 1 ${mark(two.pem)}`]);
    });

    it('is published when it is written in place, in two halves', async () => {
      const whole = textOf(two);
      writeFileSync(definition.path, whole.slice(0, 200));
      await pause(50);
      writeFileSync(definition.path, whole);
      await publishes(two.pem);
      assert.deepEqual(refused(), []);
      assert.deepEqual(logged('changed certificate file refused'), []);
    });

    it('is published when it is deleted and created', async () => {
      rmSync(definition.path);
      await pause(50);
      writeFileSync(definition.path, textOf(two));
      await publishes(two.pem);
      assert.deepEqual(events, [`changed 1 ${mark(two.pem)}`]);
    });

    it('is put into the form and the rights that the manager gives it', async () => {
      writeFileSync(definition.path, `${two.pem}\nsome words\n${two.key}`, { mode: 0o644 });
      await publishes(two.pem);
      assert.equal(text(), textOf(two));
      assert.equal(statSync(definition.path).mode & 0o777, 0o600);
    });

    it('finds the key of a request when it has none', async () => {
      const request = await endpoint.requests.make(csrParameters({ CommonName: 'requested' }));
      const certificate = tools.sign(request, root);
      writeFileSync(definition.path, certificate);
      await publishes(certificate);
      assert.match(text(), /BEGIN PRIVATE KEY/);
    });

    const bad: readonly [string, string][] = [
      ['is garbage', 'garbage'],
      ['is empty', ''],
      ['has the key of another certificate', two.key + one.pem],
      ['has no key', two.pem],
    ];
    for (const [what, content] of bad) {
      it(`is refused and put aside when it ${what}; the last good one is back`, async () => {
        writeFileSync(definition.path, content);
        await isLogged('changed certificate file refused');
        await until('the good one is back', () => text() === textOf(one));
        assert.deepEqual(published(), [mark(one.pem)]);
        assert.deepEqual(events, []);
        const [name = ''] = refused();
        assert.equal(readFileSync(join(dirname(definition.path), name), 'utf8'), content);
        assert.ok(!JSON.stringify(world.logged).includes('PRIVATE KEY'));
      });
    }

    it('keeps the last of the files that it refused', async () => {
      for (let round = 1; round <= 2; round += 1) {
        writeFileSync(definition.path, `garbage ${round}`);
        await until(
          'it is refused',
          () => logged('changed certificate file refused').length === round,
        );
        await until('the good one is back', () => text() === textOf(one));
        world.now = new Date(world.now.getTime() + 1000);
      }
      assert.equal(readFileSync(`${definition.path}.refused`, 'utf8'), 'garbage 2');
    });

    it('follows the path when it becomes a link to another file', async () => {
      const elsewhere = join(world.directory, 'elsewhere.pem');
      writeFileSync(elsewhere, textOf(two), { mode: 0o600 });
      rmSync(definition.path);
      symlinkSync(elsewhere, definition.path);
      await publishes(two.pem);
    });

    it('is looked at now and then when no event came, as after its directory was replaced', async () => {
      renameSync(dirname(definition.path), join(world.directory, 'gone'));
      mkdirSync(dirname(definition.path));
      writeFileSync(definition.path, textOf(two));
      await endpoint.maintain();
      await publishes(two.pem);
      writeFileSync(definition.path, textOf(one));
      await publishes(one.pem);
    });

    it('does not disturb a change over the bus at the same time', async () => {
      for (let round = 0; round < 10; round += 1) {
        writeFileSync(definition.path, textOf(one));
        await pause(20);
        await endpoint.replace('1', textOf(two));
        assert.deepEqual(published(), [mark(two.pem)]);
      }
      await pause(300);
      assert.deepEqual(published(), [mark(two.pem)]);
      assert.equal(text(), textOf(two));
    });

    it('is not followed any more once the endpoint is stopped', async () => {
      endpoint.stop();
      writeFileSync(definition.path, textOf(two));
      await pause(200);
      assert.deepEqual(published(), [mark(one.pem)]);
    });

    if (type === 'server') {
      it('makes room for a self-signed one when it is deleted', async () => {
        rmSync(definition.path);
        await until('there is a new one', () => events.length === 2);
        assert.equal(events[0], `removed 1 ${mark(one.pem)}`);
        assert.deepEqual(published(), [mark(text())]);
      });
    } else {
      it('is withdrawn when it is deleted, and published when it is there again', async () => {
        rmSync(definition.path);
        await until('it is withdrawn', () => published().length === 0);
        assert.deepEqual(events, [`removed 1 ${mark(one.pem)}`]);
        writeFileSync(definition.path, textOf(two));
        await publishes(two.pem);
      });

      it('stays in place when it is bad and nothing better is known', async () => {
        await endpoint.deleteAll();
        writeFileSync(definition.path, 'garbage');
        await isLogged('changed certificate file refused');
        assert.equal(text(), 'garbage');
        assert.deepEqual(published(), []);
        await endpoint.maintain();
        await pause(250);
        assert.equal(logged('changed certificate file refused').length, 1);
      });
    }
  });
}
