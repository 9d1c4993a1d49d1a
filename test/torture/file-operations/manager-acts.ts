import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { ReplacementPart } from '../../../src/manager/replacement/staged-replacements.ts';
import { writeFileAtomic } from '../../../src/storage/atomic-file.ts';
import { ownerOnly } from '../../../src/storage/file-mode.ts';
import { csrParameters } from '../../fakes/manager-world.ts';
import { type ManagerDevice, managerPaths, openManager } from './manager-device.ts';
import type { Place } from './scene.ts';

/** Everything that is installed before most changes: a pair at each endpoint, two authorities, a request. */
export async function inService({ server, client, truststore }: ManagerDevice, { given }: Place) {
  await server.replace('1', give(given, 'pair1'));
  await client.install(give(given, 'pair2'));
  await truststore.install(give(given, 'ca1'));
  await truststore.install(give(given, 'ca2'));
  await truststore.delete('2');
  await truststore.install(give(given, 'twin'));
  await server.requests.make(csrParameters({ CommonName: 'waits' }));
}

export async function used(place: Place): Promise<void> {
  const device = await openManager(place);
  await inService(device, place);
  await device.close();
}

/** There is a request for the key in service, and a later one for another. */
export async function renewed(place: Place): Promise<void> {
  const device = await openManager(place);
  await inService(device, place);
  await device.server.requests.renew('');
  await device.server.requests.make(csrParameters({ CommonName: 'later' }));
  await device.close();
}

export function leaveRootCa({ directory, given }: Place): void {
  writeFileSync(join(directory, 'Root-CA.pem'), give(given, 'ca3'));
}

export function give(given: Place['given'], name: string): string {
  const text = given[name];
  if (text === undefined) throw new Error(`nothing is given as ${name}`);
  return text;
}

export async function activate(device: ManagerDevice, { given }: Place) {
  return onReplacement(device, [
    { endpoint: device.server, content: give(given, 'pair3') },
    { endpoint: device.truststore, content: give(given, 'ca3') + give(given, 'ca4') },
  ]);
}

/** One authority stays, so that it has the same file before and after. */
export async function activateAuthorities(device: ManagerDevice, { given }: Place) {
  const content = give(given, 'ca1') + give(given, 'ca4');
  return onReplacement(device, [{ endpoint: device.truststore, content }]);
}

async function onReplacement(
  { replacements, owner }: ManagerDevice,
  parts: readonly ReplacementPart[],
) {
  const replacement = await replacements.stage(owner, parts);
  await replacements.activate(owner, replacement);
  return replacement;
}

/** What a program that knows nothing of the device does so that its file is there for good. */
export function putSynced(path: string, text: string): void {
  for (const [at, flags] of [
    [path, 'w'],
    [dirname(path), 'r'],
  ] as const) {
    const file = openSync(at, flags);
    if (flags === 'w') writeSync(file, text);
    fsyncSync(file);
    closeSync(file);
  }
}

/** What is not the manager's goes with the next change. */
export async function leaveOut({ truststore }: ManagerDevice, { given }: Place): Promise<void> {
  await truststore.install(give(given, 'ca3'));
  const there = readdirSync(truststore.definition.path);
  if (there.includes('company.crt')) throw new Error('what is not the manager’s is still served');
}

/** A careful program replaces the file of the server; the device follows now, or at a later look. */
export async function replaceFromOutside(device: ManagerDevice, place: Place): Promise<void> {
  const path = join(place.directory, managerPaths.server);
  const text = give(place.given, 'pair3');
  await writeFileAtomic(path, text, ownerOnly);
  await device.maintain();
}

/** It looks at what others did, and has come to an end with it. */
export async function openFollowing(place: Place): Promise<ManagerDevice> {
  const device = await openManager(place, { settle: 5, grace: 20 });
  const isFollowed = () => {
    const [installed] = device.server.list();
    try {
      const stored = readFileSync(join(place.directory, managerPaths.server), 'utf8');
      return installed !== undefined && stored.includes(installed.certificate.pem);
    } catch {
      return false;
    }
  };
  return {
    ...device,
    async maintain() {
      await device.maintain();
      for (let tries = 0; tries < 30 && !isFollowed(); tries += 1) await wait(10);
    },
  };
}
