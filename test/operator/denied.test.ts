import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ManagerProcess, startManager } from '../fakes/manager-process.ts';
import { type PrivateBus, startPrivateBus } from '../fakes/private-bus.ts';
import { asNobody, redfishFiles } from '../fakes/redfish-process.ts';
import { samplePem } from '../redfish/service.ts';
import { scratchDirectory } from '../storage/scratch.ts';

const policy = fileURLToPath(
  new URL('../../systemd/bmc-certificate-manager.conf', import.meta.url),
);

const scratch = scratchDirectory();

describe('a user who may not', {
  skip: process.getuid?.() !== 0 && 'only root is two users',
}, () => {
  let bus: PrivateBus;
  let manager: ManagerProcess | undefined;
  const begin = async (closedBy?: string) => {
    bus = await startPrivateBus('bus', closedBy);
    manager = await startManager(bus);
    return redfishFiles(bus);
  };
  beforeEach(() => {
    manager = undefined;
  });
  afterEach(async () => {
    await manager?.stop();
    await bus?.stop();
  });

  const commands = [
    ['list'],
    ['show', 'server/https/1'],
    ['delete', 'server/https/1'],
    ['endpoint', 'list'],
  ];
  for (const command of commands) {
    it(`ask for ${command.join(' ')} is told that the policy of the bus denies it`, async () => {
      const files = await begin(policy);
      const args = ['--bus', bus.address, ...command];
      const { status, stderr } = await files.bmcCerts(args, '', asNobody);
      assert.equal(status, 4);
      assert.match(
        stderr,
        /permission denied by the policy of the bus, .*system\.d.*; run bmc-certs as root/,
      );
      assert.doesNotMatch(stderr, /sender=/, 'what the bus daemon knows of both sides');
      assert.equal((await files.bmcCerts(args)).status, 0);
    });
  }

  it('connect to a bus is told that its policy denies it', async () => {
    const notNobody = join(scratch(), 'policy.conf');
    const rule = '<policy context="mandatory"><deny user="nobody"/><allow own="*"/></policy>';
    writeFileSync(notNobody, `<busconfig>${rule}</busconfig>`);
    const files = await begin(notNobody);
    const args = ['--bus', bus.address, 'list'];
    const { stderr } = await files.bmcCerts(args, '', asNobody);
    assert.match(stderr, /permission denied by the policy of the bus/);
  });

  it('change certificates is told that the manager denies it', async () => {
    const files = await begin();
    const args = ['--bus', bus.address, 'trust', 'add', '-'];
    const { status, stderr } = await files.bmcCerts(args, samplePem, asNobody);
    assert.equal(status, 4);
    assert.match(
      stderr,
      /permission denied by the manager: user 65534 may not .*"access".*; run bmc-certs as root/,
    );
    assert.equal((await files.bmcCerts([...args.slice(0, 2), 'list'], '', asNobody)).status, 0);
  });

  it('reach the bus is told that the file system denies it, and where', async () => {
    const files = await begin();
    chmodSync(bus.directory, 0o700);
    const args = ['--bus', bus.address, 'list'];
    const { stderr } = await files.bmcCerts(args, '', asNobody);
    assert.match(
      stderr,
      /permission denied by the file system at \/.*\/bus; run bmc-certs as root, such as with sudo\.\n$/,
    );
  });

  it('read or write the files of set-password is told which', async () => {
    const files = await begin();
    const args = ['set-password', '--config', files.configuration, '--password-file', '-'];
    const asks = async () => (await files.bmcCerts(args, 'correct-horse', asNobody)).stderr;
    const denied = 'permission denied by the file system at';
    assert.match(await asks(), new RegExp(`cannot be used: ${denied} ${files.state}/`));
    chmodSync(files.configuration, 0o600);
    assert.match(
      await asks(),
      new RegExp(`${denied} ${files.configuration}; run bmc-certs as root`),
    );
    chmodSync(files.configuration, 0o644);
    const secret = join(bus.directory, 'secret');
    writeFileSync(secret, 'correct-horse', { mode: 0o600 });
    const { stderr } = await files.bmcCerts([...args.slice(0, -1), secret], '', asNobody);
    assert.match(
      stderr,
      new RegExp(`^The password file .*: ${denied} ${secret}; run bmc-certs as root`),
    );
  });
});
