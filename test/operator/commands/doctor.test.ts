import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startFakeSystemd } from '../../fakes/fake-systemd.ts';
import { startManager } from '../../fakes/manager-process.ts';
import {
  toldEndpoints as endpoints,
  generalizedTime,
  serveFor,
} from '../../fakes/operated-device.ts';
import { type OperatorWorld, operatorWorld } from '../../fakes/operator-world.ts';
import { asNobody } from '../../fakes/redfish-process.ts';

const ownPolicy = fileURLToPath(
  new URL('../../../systemd/bmc-certificate-manager.conf', import.meta.url),
);
const keys = (value: unknown) => Object.keys(Object(value));

let world: OperatorWorld;
beforeEach(async () => {
  world = await operatorWorld({ endpoints });
});
afterEach(() => world?.close());

describe('bmc-certs doctor', () => {
  /** A directory with the policy that the package installs. */
  const policies = () => {
    const directory = join(world.bus.directory, 'policies');
    mkdirSync(directory, { recursive: true });
    chmodSync(directory, 0o755);
    cpSync(ownPolicy, join(directory, 'bmc-certificate-manager.conf'));
    return directory;
  };
  const configure = (changes: object) => {
    const document = { stateDirectory: world.bus.directory, endpoints, ...changes };
    writeFileSync(world.configuration, JSON.stringify(document));
  };
  const examine = async (as: readonly string[] = []) => {
    const words = ['doctor', '--config', world.configuration, '--policy', policies(), '--json'];
    const { stdout, status, stderr } = await world.run(words, '', as);
    assert.equal(stderr, '');
    const findings: {
      check: string;
      where: string;
      verdict: string;
      text: string;
      next: string;
    }[] = JSON.parse(stdout);
    for (const one of findings)
      assert.deepEqual(keys(one), ['check', 'where', 'verdict', 'text', 'next']);
    const wrong = findings.filter(({ verdict }) => verdict !== 'ok');
    return { status, wrong, lines: wrong.map((one) => `${one.check}: ${one.where}: ${one.text}`) };
  };

  it('finds nothing wrong with a device in order but a service that does not run', async () => {
    const { status, lines } = await examine();
    assert.equal(status, 0);
    assert.equal(lines.length, 1);
    assert.match(
      lines[0] ?? '',
      /^services: server\/https → .*absent\.pid: the service did not run/,
    );
  });

  it('finds a directory that others may write to, and says what to do', async () => {
    const directory = join(world.bus.directory, 'https');
    chmodSync(directory, 0o777);
    const { status, wrong } = await examine();
    assert.equal(status, 8);
    const finding = wrong.find(({ check }) => check === 'files');
    assert.equal(finding?.next, `chmod go-w ${directory}`);
  });

  it('finds a certificate that expired', async () => {
    await serveFor(world, -3);
    const { status, lines } = await examine();
    assert.equal(status, 8);
    assert.ok(
      lines.some((line) => /^expiry: server\/https\/1: it expired [34] days ago$/.test(line)),
    );
  });

  it('finds a server without its intermediate, and an authority without its issuer', async () => {
    const { authority } = world;
    const root = authority.issueCa({ subject: '/CN=Root' });
    const intermediate = authority.issueCa({ subject: '/CN=Intermediate', issuer: root });
    const leaf = authority.issue({ issuer: intermediate, subject: '/CN=bmc' });
    const key = authority.write('leaf.key', leaf.key);
    await world.json('trust', 'add', intermediate.path);
    await world.json('replace', 'server/https', leaf.path, key);
    const found = (await examine()).lines;
    assert.match(
      found.join('\n'),
      /chains: server\/https\/1: its issuer CN=Intermediate is an intermediate CA, and is not served/,
    );
    assert.match(
      found.join('\n'),
      /chains: authority\/truststore\/1: its issuer CN=Root is not in the truststore/,
    );
    await world.json('trust', 'add', root.path);
    await world.json('replace', 'server/https', leaf.path, key, intermediate.path);
    assert.ok(!(await examine()).lines.some((line) => line.startsWith('chains')));
  });

  it('finds a staged replacement that is forgotten', async () => {
    const { authority } = world;
    const { key, path } = authority.issue({ issuer: authority.issueCa(), subject: '/CN=staged' });
    await world.run(['stage', 'server/https', path, authority.write('staged.key', key)]);
    const { lines } = await examine();
    assert.ok(
      lines.some((line) => line.startsWith('replacement: server/https: ')),
      lines.join('\n'),
    );
  });

  it('finds an endpoint that is configured and not served', async () => {
    const more = { type: 'client', name: 'more', path: 'more/cert.pem', reload: [] };
    configure({ endpoints: [...endpoints, more] });
    const { status, lines } = await examine();
    assert.equal(status, 8);
    assert.ok(
      lines.some((line) => line.startsWith('endpoints: client/more: ')),
      lines.join('\n'),
    );
  });

  it('finds users and groups of the configuration without a rule in the policy of the bus', async () => {
    const [https, ...others] = endpoints;
    const own = { users: ['bmc-redfish'], groups: ['operators'] };
    configure({
      endpoints: [{ ...https, access: own }, ...others],
      access: { users: ['www-data'] },
      users: { access: { users: ['www-data'] } },
    });
    const { status, wrong } = await examine();
    assert.equal(status, 8);
    const found = wrong.filter(({ check }) => check === 'policy');
    assert.deepEqual(
      found.map(({ where, text }) => [where, /the (?:user|group) [\w-]+/.exec(text)?.[0]]),
      [
        ['server/https', 'the group operators'],
        ['client/ldap', 'the user www-data'],
        ['authority/truststore', 'the user www-data'],
        ['the account manager', 'the user www-data'],
      ],
    );
    assert.match(
      found[0]?.next ?? '',
      /^add <policy group="operators"><allow send_destination="xyz\.openbmc_project\.Certs\.Manager"\/>/,
    );
  });

  it('finds that no policy is installed, for each name of the manager', async () => {
    const directory = join(world.bus.directory, 'none');
    const words = ['doctor', '--config', world.configuration, '--policy', directory, '--json'];
    const { stdout, status } = await world.run(words);
    assert.equal(status, 8);
    const found: { check: string; where: string; next: string }[] = JSON.parse(stdout);
    const names = found.filter(({ check }) => check === 'policy').map(({ where }) => where);
    assert.ok(names.includes('xyz.openbmc_project.Certs.Manager.Client.Ldap'), names.join());
    for (const { check, next } of found)
      if (check === 'policy') assert.match(next, /bmc-certificate-manager\.conf/);
  });

  it('looks at the policy of the system bus only where that is the bus', async () => {
    const { stdout } = await world.run(['doctor', '--config', world.configuration]);
    assert.match(stdout, /^skipped +policy: this is not the system bus.*\n +name the directories/m);
  });

  const targets: readonly (readonly [string, string, RegExp])[] = [
    ['holds no number', 'none', /the file holds no process id/],
    ['names a process that SIGHUP would end', 'sleeper', /does not take SIGHUP/],
  ];
  for (const [what, content, fault] of targets) {
    it(`finds a pid file that ${what}, before a service is to be told`, async () => {
      const sleeper = spawn('sleep', ['1000'], { stdio: 'ignore' });
      try {
        const pidFile = join(world.bus.directory, 'told.pid');
        writeFileSync(pidFile, content === 'sleeper' ? `${sleeper.pid}\n` : content);
        const [https, ...others] = endpoints;
        configure({ endpoints: [{ ...https, reload: [{ pidFile }] }, ...others] });
        const { status, wrong } = await examine();
        assert.equal(status, 8);
        const found = wrong.find(({ check }) => check === 'reload');
        assert.equal(found?.where, `server/https → ${pidFile}`);
        assert.match(found?.text ?? '', fault);
        assert.match(found?.next ?? '', /"reload" of the endpoint/);
      } finally {
        sleeper.kill();
      }
    });
  }

  it('finds units that systemd does not have, or cannot reload', async () => {
    const systemd = await startFakeSystemd(world.bus.address, {
      'present.service': 'loaded',
      'masked.service': 'masked',
    });
    try {
      const [https, ...others] = endpoints;
      const units = ['present', 'absent', 'masked'].map((one) => ({ unit: `${one}.service` }));
      configure({ endpoints: [{ ...https, reload: units }, ...others] });
      const found = (await examine()).wrong.filter(({ check }) => check === 'reload');
      assert.deepEqual(
        found.map(({ where, verdict, text }) => [where, verdict, text]),
        [
          ['server/https → absent.service', 'warning', 'systemd has no such unit'],
          ['server/https → masked.service', 'fault', 'systemd says of it: masked'],
        ],
      );
    } finally {
      systemd.leave();
    }
  });

  it('finds a key that is not that of the certificate, and a file that has none', async () => {
    const { authority, bus } = world;
    const path = join(bus.directory, 'https/server.pem');
    const [one, other] = [authority.issue({ subject: '/CN=one' }), authority.issue({})];
    // The manager would put the file right
    await world.manager.stop();
    writeFileSync(path, other.key + one.pem);
    const elsewhere = { type: 'server', name: 'https', path: 'elsewhere/server.pem', reload: [] };
    world.manager = await startManager(bus, { endpoints: [elsewhere] });
    configure({ endpoints: endpoints.slice(0, 1) });
    const fault = async () => (await examine()).wrong.find(({ check }) => check === 'files');
    assert.match((await fault())?.text ?? '', /^key-mismatch: /);
    writeFileSync(path, one.pem);
    const { text, next } = (await fault()) ?? {};
    assert.equal(text, 'the file has no private key');
    assert.match(next ?? '', /bmc-certs replace server\/https CERTIFICATE KEY$/);
    writeFileSync(path, one.key + one.pem);
    assert.match((await fault())?.text ?? '', /publishes another certificate/);
  });

  it('finds a certificate that begins after what the clock says', async () => {
    const later = generalizedTime(Date.now() + 864e6);
    const { path, keyPath } = world.authority.issue({ subject: '/CN=later', from: later });
    await world.run(['replace', 'server/https', path, keyPath]);
    const { status, wrong } = await examine();
    assert.equal(status, 8);
    const found = wrong.find(({ check }) => check === 'clock');
    assert.match(found?.text ?? '', /^it begins at /);
    assert.match(found?.next ?? '', /^set the clock of the device/);
  });

  it('finds a textfile for Prometheus that is absent, or old', async () => {
    const textfile = join(world.bus.directory, 'bmc.prom');
    configure({ metrics: { textfile } });
    const found = async () => (await examine()).lines.filter((line) => line.startsWith('metrics'));
    assert.deepEqual(await found(), [`metrics: ${textfile}: the manager has not written it`]);
    writeFileSync(textfile, '');
    assert.deepEqual(await found(), []);
    utimesSync(textfile, 1e9, 1e9);
    assert.match((await found()).join(), /has not written it since 2001-/);
    rmSync(textfile);
  });

  it('finds that this user may not change anything, and what could not be examined', async () => {
    const { wrong } = await examine(asNobody);
    assert.ok(wrong.some(({ check, next }) => check === 'access' && /as root/.test(next)));
    assert.ok(wrong.some(({ check, verdict }) => check === 'files' && verdict === 'skipped'));
  });

  it('finds that there is no manager', async () => {
    await world.manager.stop();
    const { status, lines } = await examine();
    assert.equal(status, 8);
    assert.match(lines.join('\n'), /^bus: device: unavailable: there is no certificate manager/);
  });
});
