import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeRelease } from '../build/package.ts';
import { must, until } from '../e2e/commands.ts';
import { documented } from '../how-to/blocks.ts';
import { type Device, startDevice, whyNoDevice } from './device.ts';
import { ask, password, runBlocks } from './installation.ts';

describe('the release archive, installed by hand', { skip: whyNoDevice() ?? false }, () => {
  let device: Device;

  before(async () => {
    device = await startDevice();
    const release = makeRelease();
    const target = join(device.root, 'src');
    mkdirSync(target);
    const unpack = ['--extract', '--file', release.archive, '--strip-components=1'];
    await must('tar', [...unpack, '--directory', target]);
    release.remove();
  });
  after(() => device?.stop());

  it('serves after the commands of docs/how-to/install.md, and once more', async () => {
    const byHand = documented('install', 'By hand');
    const others = ['Set the first password', 'See that it runs'];
    const rest = others.flatMap((heading) => documented('install', heading));
    for (const typed of [password, password]) {
      const printed = await runBlocks(device, '/src', [...byHand, ...rest], typed);
      assert.match(printed.at(-1) ?? '', /active\nactive\n[\s\S]*server\/https/);
    }
    await until('Redfish answers', async () => (await ask(device, '/redfish/v1')).status === 200);
  });
});
