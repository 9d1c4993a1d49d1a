import assert from 'node:assert/strict';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CertError } from '../../../src/core/cert-error.ts';
import { SetupError } from '../../../src/core/setup-error.ts';
import { IdentityError } from '../../../src/identity/identity-error.ts';
import { extent, figure } from '../extent.ts';
import { openWorkshop, type Prepared, type Workshop } from '../file-operations/followed.ts';
import { digestOf, readImage, writeImage } from '../file-operations/image.ts';
import { whyNotFollowed } from '../file-operations/library.ts';
import { useProbe } from '../file-operations/manager-device.ts';
import { scenes } from '../file-operations/scenes.ts';

/** What somebody may have left in place of a file. */
const oddities: readonly [string, (path: string, outside: string) => void][] = [
  ['a directory', (path) => mkdirSync(path)],
  ['a directory that is not empty', (path) => mkdirSync(join(path, 'inside'), { recursive: true })],
  ['a link that leads nowhere', (path) => symlinkSync('/nowhere/at/all', path)],
  ['a link to a file elsewhere', (path, outside) => symlinkSync(join(outside, 'file'), path)],
  ['a link to a directory elsewhere', (path, outside) => symlinkSync(outside, path)],
  ['an empty file', (path) => writeFileSync(path, '')],
  ['a file that nobody may read', (path) => writeFileSync(path, 'x', { mode: 0o000 })],
  ['half of a file', (path) => writeFileSync(path, '{"accounts": [')],
];

/** Everything for each place, or one of so many. */
const every = extent({ quick: 4, long: 1 });

const places: readonly [string, readonly string[]][] = [
  [
    'server: replace',
    [
      'https/server.pem',
      'https/server.pem.requests',
      'https/server.pem.replacement',
      'ldap/cert.pem',
      'authority.generations/next-id',
      'authority.generations',
    ],
  ],
  [
    'truststore: install',
    [
      'authority',
      'authority/1.pem',
      'authority/trust_bundle',
      'authority.generations/next-id',
      'authority.taken-over',
      'authority.requests',
      'Root-CA.pem',
    ],
  ],
  [
    'service: change a role',
    [
      'accounts.json',
      'sessions.json',
      'events.json',
      'access-settings.json',
      'account-certificates.json',
      'followed-renames.json',
      'users-source',
    ],
  ],
];

describe('a device that finds something else in place of a file', {
  skip: whyNotFollowed(),
}, () => {
  let workshop: Workshop;
  let outside: string;
  let tried = 0;
  const scratch = () => workshop.scratch;
  before(async () => {
    workshop = await openWorkshop();
    useProbe(workshop.given.probe ?? '');
    outside = join(scratch(), 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'file'), 'of somebody else', { mode: 0o644 });
  });
  after(async () => {
    await workshop.close();
    figure('file-faults', 'things left in place of a file', tried);
  });

  /** @returns how the start and the change ended */
  const use = async ({ scene, place }: Prepared): Promise<string> => {
    try {
      const device = await scene.open(place);
      try {
        await scene.act(device, place, () => undefined);
        await device.maintain?.();
        await device.state();
        return 'done';
      } finally {
        await device.settle?.();
        await device.close().catch(() => undefined);
      }
    } catch (error) {
      const isClear = [SetupError, CertError, IdentityError].some((one) => error instanceof one);
      const hasCode = error instanceof Error && 'code' in error && /^E/.test(String(error.code));
      assert.ok(isClear || hasCode, String(error instanceof Error ? error.stack : error));
      return error instanceof Error ? error.message : String(error);
    }
  };

  for (const [name, paths] of places) {
    for (const path of paths) {
      it(`goes on or says why, and touches nothing elsewhere: ${path}`, async () => {
        const scene = scenes.find((one) => one.name === name);
        assert.ok(scene);
        const prepared = await workshop.prepare(scene);
        const { directory } = prepared.place;
        const elsewhere = digestOf(readImage(outside));
        for (const [at, [oddity, leave]] of oddities.entries()) {
          if ((at + path.length) % every !== 0) continue;
          writeImage(directory, prepared.before);
          const full = join(directory, path);
          rmSync(full, { recursive: true, force: true });
          leave(full, outside);
          const end = await use(prepared);
          tried += 1;
          assert.equal(digestOf(readImage(outside)), elsewhere, `${oddity}: ${end}`);
          if (path === 'accounts.json') {
            // Where nobody can be known, nobody may come in
            assert.notEqual(end, 'done', oddity);
          }
        }
        writeImage(directory, prepared.before);
        assert.equal(await use(prepared), 'done');
      });
    }
  }
});
