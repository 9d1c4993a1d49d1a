import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { runManager, untilReady, writeConfiguration } from '../../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../../fakes/private-bus.ts';
import { scratchDirectory } from '../../storage/scratch.ts';

describe('on a bus whose policy does not know it', () => {
  const directory = scratchDirectory();
  let bus: PrivateBus;
  const writePolicy = (lines: readonly string[]) => {
    const policy = join(directory(), 'policy.conf');
    writeFileSync(policy, `<busconfig>${lines.join('\n')}</busconfig>`);
    return policy;
  };
  beforeEach(async () => {
    bus = await startPrivateBus('bus', writePolicy([]));
  });
  afterEach(() => bus?.stop());

  for (const program of ['certificate-manager', 'cmp-agent'] as const) {
    it(`${program} says which line is missing, and starts with that line`, async () => {
      const start = () => runManager(['--config', writeConfiguration(bus)], {}, program);
      const refused = start();
      assert.deepEqual(await refused.ended, { status: 1, signal: null });
      const [last = ''] = refused.output().trim().split('\n').slice(-1);
      const [, line = ''] =
        /cannot start reason="[^"]*; add (<policy .*<\/policy>) to/.exec(last) ?? [];
      assert.match(line, /own_prefix='xyz\.openbmc_project\.Certs\./, last);
      writePolicy([line]);
      await bus.kill();
      await bus.start();
      const manager = await untilReady(start());
      assert.deepEqual(await manager.stop(), { status: 0, signal: null });
    });
  }
});
