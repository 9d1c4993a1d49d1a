import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { diskError, onDisk } from '../../fakes/moody-disk.ts';
import { opensslAuthority } from '../../fakes/openssl-authority.ts';
import { pairOf } from '../../fakes/replacement-device.ts';
import { authority, RunTimeDevice, server } from '../../fakes/run-time-device.ts';

const tools = opensslAuthority();
const ca = tools.issueCa({ subject: '/CN=CA' });
const leaf = tools.issue({ issuer: ca, subject: '/CN=leaf' });
const next = tools.issue({ issuer: ca, subject: '/CN=next' });
after(() => tools.remove());
const owner = ':1.7';
const services = [{ name: 'gnoi', reload: [], endpoint: { type: 'server', name: 'a' } }] as const;

/** A disk that does so many things more, and then nothing: to the next start that looks like a power cut there. */
function dyingDisk(steps: number): { readonly isDead: () => boolean; revive(): void } {
  let left = steps;
  const step = () => {
    left -= 1;
    if (left < 0) throw diskError('EIO');
  };
  const revivals = [
    onDisk('rename', (real) => async (...args) => {
      step();
      return real(...args);
    }),
    onDisk('link', (real) => async (...args) => {
      step();
      return real(...args);
    }),
    onDisk('open', (real) => async (...args) => {
      step();
      return real(...args);
    }),
    onDisk('rm', (real) => async (...args) => {
      step();
      return real(...args);
    }),
  ];
  const revive = () => {
    for (const back of revivals.reverse()) back();
  };
  return { isDead: () => left < 0, revive };
}

const change = async (device: RunTimeDevice, create: boolean) => {
  const parts = [
    { ...server('a'), create, content: pairOf(create ? leaf : next) },
    { ...authority('b'), create, content: ca.pem },
  ];
  const replacement = await device.endpoints.stage(owner, parts, 0);
  await device.replacements.activate(owner, replacement);
  await device.replacements.commit(owner, replacement);
};

const textAt = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : undefined);

/** What there is after a start: all of the old state, or all of the new one. */
function stateOf(device: RunTimeDevice): string {
  const text = textAt(device.file(server('a')));
  assert.equal(textAt(device.serviceFile('gnoi')), text);
  assert.deepEqual(readdirSync(join(device.directory, 'replacements')), []);
  const [names, inService] = [device.names().sort().join(' '), device.served(server('a')).length];
  if (text === undefined) {
    assert.deepEqual([names, inService], ['', 0]);
    for (const folder of ['server', 'authority'])
      assert.deepEqual(readdirSync(join(device.directory, folder)), []);
    return 'nothing';
  }
  assert.deepEqual([names, inService], ['authority/b server/a', 1]);
  assert.equal(device.served(authority('b')).length, 1);
  return text === pairOf(leaf) ? 'leaf' : 'next';
}

function isWithoutServer(device: RunTimeDevice): boolean {
  if (device.names().join() !== 'authority/b') return false;
  assert.deepEqual(readdirSync(join(device.directory, 'server')), []);
  assert.ok(!existsSync(device.serviceFile('gnoi')));
  return true;
}

const scenes = [
  {
    what: 'a creation with its bundle',
    prepare: async () => undefined,
    run: (device: RunTimeDevice) => change(device, true),
    states: ['nothing', 'leaf'],
  },
  {
    what: 'a replacement with its bundle',
    prepare: (device: RunTimeDevice) => change(device, true),
    run: (device: RunTimeDevice) => change(device, false),
    states: ['leaf', 'next'],
  },
  {
    what: 'a removal of both',
    prepare: (device: RunTimeDevice) => change(device, true),
    run: async (device: RunTimeDevice) => {
      await device.endpoints.remove(server('a'));
      await device.bindings.settle();
    },
    states: ['leaf', 'without a'],
  },
];

describe('the endpoints of run time', () => {
  for (const { what, prepare, run, states } of scenes) {
    it(`are as before or as after ${what}, wherever the disk stops`, async () => {
      const [before, afterwards] = states;
      const seen = new Set<string>();
      let isDone = false;
      for (let steps = 0; !isDone; steps += 1) {
        const device = await RunTimeDevice.open(services);
        try {
          await prepare(device);
          const disk = dyingDisk(steps);
          const isRefused = await run(device).then(
            () => false,
            () => true,
          );
          isDone = !disk.isDead();
          // A manager that is killed writes nothing more
          device.die();
          disk.revive();
          await device.restart();
          const state = isWithoutServer(device) ? 'without a' : stateOf(device);
          seen.add(state);
          if (!isRefused) assert.equal(state, afterwards, `after ${steps} steps`);
          else assert.ok(states.includes(state), `${state} after ${steps} steps`);
        } finally {
          await device.close();
        }
      }
      assert.deepEqual([...seen].sort(), [before, afterwards].sort());
    });
  }
});
