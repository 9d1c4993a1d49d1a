import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { type Device, startDevice, whyNoDevice } from '../device/device.ts';
import { ask, install, password, runBlocks } from '../device/installation.ts';
import { until } from '../e2e/commands.ts';
import { blocksOf } from './blocks.ts';
import { howToPages } from './pages.ts';

/** Why the pages cannot be run; `undefined` when they can. */
function whyNot(): string | undefined {
  const missing = ['curl', 'jq', 'openssl'].find((program) => !existsSync(`/usr/bin/${program}`));
  return missing === undefined ? whyNoDevice() : `${missing} is not installed`;
}

const skip = whyNot() ?? false;

/** Each page begins on a device of its own, on which the service has just been installed. */
for (const { name, typed = [], happens = {}, prints } of howToPages) {
  describe(`docs/how-to/${name}.md`, { skip }, () => {
    let device: Device;

    before(async () => {
      device = await startDevice();
      await install(device);
      await until('Redfish answers', async () => (await ask(device, '/redfish/v1')).status === 200);
    });
    after(() => device?.stop());

    it('leads where it says', async () => {
      const blocks = [...blocksOf('README'), ...blocksOf(name)];
      for (const [heading, text] of Object.entries(happens)) {
        const first = blocks.findIndex((block) => block.heading === heading);
        blocks.splice(first, 0, { heading: '', text, notRun: undefined });
      }
      const outputs = await runBlocks(device, '/root', blocks, [password, ...typed].join('\n'));
      for (const [heading, expected] of Object.entries(prints)) {
        const printed = outputs.filter((_output, at) => blocks[at]?.heading === heading).join('');
        assert.match(printed, expected, heading);
      }
    });
  });
}
