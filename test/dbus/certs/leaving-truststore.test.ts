import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { PublishedEndpoint } from '../../../src/dbus/certs/published-endpoint.ts';
import { stagedReplacementObject } from '../../../src/dbus/certs/staged-replacement-object.ts';
import type { StagedChange } from '../../../src/manager/change.ts';
import type { Endpoint } from '../../../src/manager/endpoint.ts';
import { StagedReplacements } from '../../../src/manager/replacement/staged-replacements.ts';
import { usualLimits } from '../../../src/x509/limits.ts';
import { openQuickly } from '../../fakes/opened-content.ts';

const log = { debug() {}, info() {}, warn() {}, error() {} };

/** An endpoint that takes whatever is staged, once it may. */
function endpointOf(type: 'server' | 'authority', may: Promise<void> = Promise.resolve()) {
  const definition = { type, name: 'a', path: `/nowhere/${type}`, reload: [] };
  let isHeld = false;
  const stage = async (): Promise<StagedChange> => {
    await may;
    isHeld = true;
    const release = () => {
      isHeld = false;
    };
    return { endpoint: definition, release } as unknown as StagedChange;
  };
  return { endpoint: { definition, stage } as unknown as Endpoint, isHeld: () => isHeld };
}

it('a replacement whose truststore left while it was staged is refused, and holds nothing', async () => {
  let go = () => {};
  const server = endpointOf('server', new Promise((resolve) => (go = resolve)));
  const store = endpointOf('authority');
  const limits = { defaultSeconds: 60, maxSeconds: 60 };
  const replacements = new StagedReplacements(log, () => limits);
  const access = { users: [0], groups: [] };
  const uploads = { uploadBytes: 1000, content: usualLimits };
  let isServed = true;
  const callers = {
    credentials: async () => ({ user: 0, process: 1, groups: [] }),
    isConnected: async () => true,
  };
  const object = stagedReplacementObject({
    ...{ endpoint: server.endpoint, replacements, callers, uploads, openContent: openQuickly },
    findEndpoint: () => (isServed ? { endpoint: store.endpoint, access } : undefined),
  } as unknown as PublishedEndpoint);
  const pem = Buffer.from('-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n');
  const caller = { name: ':1.7', user: 0 };
  const staging = object.call('Stage', [pem, 'PEM', '', '/a', pem, 'PEM', 0], caller);
  const refused = assert.rejects(staging, { code: 'unavailable' });
  await replacements.endpointLeaves(store.endpoint.definition);
  isServed = false;
  go();
  await refused;
  assert.deepEqual([server.isHeld(), store.isHeld()], [false, false]);
});
