import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type OperatorWorld, operatorWorld } from '../../fakes/operator-world.ts';
import { asNobody } from '../../fakes/redfish-process.ts';

const program = fileURLToPath(new URL('../../../dist/bmc-certs.js', import.meta.url));
const reload = [{ pidFile: 'absent.pid' }];
const endpoints = [
  { type: 'server', name: 'https', path: 'https/server.pem', reload },
  { type: 'client', name: 'ldap', path: 'ldap/cert.pem', reload: [] },
  { type: 'authority', name: 'truststore', path: 'authority', reload: [] },
];

let world: OperatorWorld;
beforeEach(async () => {
  world = await operatorWorld({ endpoints });
});
afterEach(() => world?.close());

const keys = (value: unknown) => Object.keys(Object(value));
const generalizedTime = (milliseconds: number) =>
  `${new Date(milliseconds).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
/** Puts a certificate into service that ends so many days from now. */
const serve = async (days: number, names: readonly string[] = []) => {
  const { authority } = world;
  const until = new Date(Date.now() + days * 86_400_000);
  const extensions = names.length > 0 ? [`subjectAltName=${names.map((one) => `DNS:${one}`)}`] : [];
  const issued = authority.issue({
    issuer: authority.issueCa(),
    subject: '/CN=bmc',
    from: generalizedTime(until.getTime() - 100 * 86_400_000),
    until: generalizedTime(until.getTime()),
    ...(extensions.length > 0 && { extensions }),
  });
  const key = authority.write('bmc.key', issued.key);
  const { status, stderr } = await world.run(['replace', 'server/https', issued.path, key]);
  assert.equal(status, 0, stderr);
};

describe('bmc-certs status and reload', () => {
  it('show where endpoints and services stand, with the same members for each', async () => {
    await world.run(['csr', 'server/https', '--name', 'x']);
    const rows = await world.json('status');
    assert.ok(Array.isArray(rows));
    const members = ['endpoint', 'certificates', 'daysLeft', 'warnings', 'pending', 'replacement'];
    for (const row of rows)
      assert.deepEqual(keys(row), [...members, 'deadline', 'reloads', 'services']);
    const { pending, certificates, services } = rows[2];
    assert.deepEqual([pending, certificates], [1, 1]);
    assert.deepEqual(keys(services[0]), ['service', 'outcome', 'reason', 'at', 'attempts']);
    assert.match(
      (await world.run(['status'])).stdout,
      /^server\/https +1 +39\d +0 +1 +None +- +.*absent\.pid: NotRunning$/m,
    );
  });

  it('tell the services once more, and say what became of it', async () => {
    const { stdout, status } = await world.run(['reload', 'server/https']);
    assert.equal(status, 0);
    assert.match(stdout, /absent\.pid +NotRunning/);
    const none = await world.run(['reload', 'client/ldap']);
    assert.equal(none.stdout, 'client/ldap has no services to tell.\n');
  });

  it('show a user who may not change anything what that user may know', async () => {
    const { stdout, status, stderr } = await world.run(['status', '--json'], '', asNobody);
    assert.equal(status, 0, stderr);
    assert.equal(JSON.parse(stdout)[2].pending, null);
  });
});

describe('bmc-certs watch', () => {
  it('prints a line for each event as it happens, and ends after as many as are asked for', async () => {
    const child = spawn(process.execPath, [program, 'watch', '--json', '--count', '2'], {
      env: { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: world.bus.address, LOG_LEVEL: 'info' },
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    // The log tells when the copy of an endpoint is there
    let isReady = false;
    createInterface(child.stderr).on('line', (line) => {
      isReady ||= line.includes('Server.Https');
    });
    const lines: string[] = [];
    createInterface(child.stdout).on('line', (line) => lines.push(line));
    while (!isReady) await new Promise((resolve) => setTimeout(resolve, 50));
    await serve(50);
    const ca = world.authority.issueCa({ subject: '/CN=watched' });
    await world.run(['trust', 'add', ca.path]);
    assert.equal(await ended, 0);
    const events = lines.map((line) => JSON.parse(line));
    const members = ['time', 'event', 'certificate', 'subject', 'notAfter', 'sha256', 'days'];
    for (const event of events) assert.deepEqual(keys(event), members);
    assert.deepEqual([events[0].event, events[0].certificate], ['changed', 'server/https/1']);
  });
});

describe('bmc-certs check', () => {
  const rows: readonly {
    what: string;
    days: number;
    words: string;
    status: number;
    says: RegExp;
  }[] = [
    {
      what: 'a certificate with enough time',
      days: 50,
      words: '',
      status: 0,
      says: /^CERTIFICATES OK - 1 certificates, the first expires in (49|50) days \| 'server\/https\/1'=(49|50);30:;7: 'server\/https\/1 life'=(49|50)%;;;0;100$/,
    },
    {
      what: 'one that expires soon',
      days: 20,
      words: '',
      status: 1,
      says: /^CERTIFICATES WARNING - server\/https\/1: it expires in (19|20) days \| /,
    },
    {
      what: 'one that expires very soon',
      days: 3,
      words: '',
      status: 2,
      says: /^CERTIFICATES CRITICAL - server\/https\/1: it expires in [23] days/,
    },
    {
      what: 'one that has expired',
      days: -2,
      words: '',
      status: 2,
      says: /^CERTIFICATES CRITICAL - server\/https\/1: it expired [23] days ago/,
    },
    {
      what: 'one below a share of its life',
      days: 20,
      words: '-w 25% -c 10%',
      status: 1,
      says: /^CERTIFICATES WARNING - .*'server\/https\/1'=(19|20);; 'server\/https\/1 life'=(19|20)%;25:;10:;0;100$/,
    },
    {
      what: 'one below the last share of its life',
      days: 20,
      words: '-w 50% -c 25%',
      status: 2,
      says: /^CERTIFICATES CRITICAL - .* it expires in (19|20) days \| .*%;50:;25:;0;100$/,
    },
    {
      what: 'days and a share, each by itself',
      days: 20,
      words: '-w 25% -c 3',
      status: 1,
      says: /'server\/https\/1'=(19|20);;3: 'server\/https\/1 life'=(19|20)%;25:;;0;100$/,
    },
    {
      what: 'one above a share of its life',
      days: 20,
      words: '-w 10% -c 5%',
      status: 0,
      says: /^CERTIFICATES OK/,
    },
    {
      what: 'a name that is missing',
      days: 50,
      words: '--name bmc.example.com --name other.example.com',
      status: 1,
      says: /^CERTIFICATES WARNING - server\/https\/1: it lacks the name other\.example\.com \| /,
    },
    {
      what: 'a name that a wildcard stands for, and a name in another case',
      days: 50,
      words: '--name a.wild.example.com --name BMC.example.com',
      status: 0,
      says: /^CERTIFICATES OK/,
    },
    {
      what: 'a name that a wildcard does not stand for',
      days: 50,
      words: '--name a.b.wild.example.com',
      status: 1,
      says: /: it lacks the name a\.b\.wild\.example\.com \| /,
    },
    {
      what: 'a name that would turn the line around',
      days: 50,
      words: '--name bmc.example.com --name \u202emoc',
      status: 1,
      says: /: it lacks the name \?moc \| /,
    },
    {
      what: 'an endpoint that there is not',
      days: 50,
      words: 'server/foo',
      status: 3,
      says: /^CERTIFICATES UNKNOWN - There is no endpoint server\/foo; /,
    },
    {
      what: 'a threshold that is none',
      days: 50,
      words: '-w soon',
      status: 3,
      says: /^CERTIFICATES UNKNOWN - --warning: A threshold is /,
    },
  ];
  for (const { what, days, words, status, says } of rows) {
    it(`ends with ${status} for ${what}`, async () => {
      const extension = words.includes('--name') ? ['BMC.example.com', '*.wild.example.com'] : [];
      await serve(days, extension);
      const outcome = await world.run(['check', ...words.split(' ').filter(Boolean)]);
      assert.match(outcome.stdout.trimEnd(), says);
      assert.deepEqual([outcome.status, outcome.stderr], [status, '']);
    });
  }

  it('ends with 1 for a certificate that is not for a name of the configuration', async () => {
    const [https, ...others] = endpoints;
    const certificateNames = ['bmc.example.com', '192.0.2.7', 'old.example.com'];
    await world.restart({ endpoints: [{ ...https, certificateNames }, ...others] });
    assert.equal((await world.run(['check'])).status, 0);
    await serve(50, ['bmc.example.com', 'other.example.com']);
    const { stdout, status } = await world.run(['check']);
    assert.match(
      stdout,
      /^CERTIFICATES WARNING - server\/https\/1: clients that know the service as 192\.0\.2\.7, old\.example\.com refuse it/,
    );
    assert.equal(status, 1);
  });

  it('ends with 0 for a certificate that the manager made for the device', async () => {
    const { stdout, status } = await world.run(['check']);
    assert.match(stdout, /^CERTIFICATES OK - 1 certificates/);
    assert.equal(status, 0);
  });

  it('ends with 1 for one that the manager made for what the device was called before', async () => {
    const unshare = ['unshare', '--uts', 'sh', '-c', 'hostname renamed && exec "$@"', 'sh'];
    const { stdout, status } = await world.run(['check'], '', unshare);
    assert.match(stdout, /^CERTIFICATES WARNING - server\/https\/1: it lacks the name renamed \| /);
    assert.equal(status, 1);
  });

  it('ends with 1 for a service that could not be told', async () => {
    writeFileSync(join(world.bus.directory, 'run', 'absent.pid'), 'no number');
    await world.run(['reload', 'server/https']);
    const { stdout, status } = await world.run(['check']);
    assert.match(stdout, /^CERTIFICATES WARNING - server\/https: .*absent\.pid was not told: /);
    assert.equal(status, 1);
  });

  it('ends with 3 where nobody answers', async () => {
    await world.manager.stop();
    const { stdout, status } = await world.run(['check']);
    assert.match(stdout, /^CERTIFICATES UNKNOWN - unavailable: /);
    assert.equal(status, 3);
  });
});

describe('bmc-certs doctor', () => {
  const examine = async (as: readonly string[] = []) => {
    const words = ['doctor', '--config', world.configuration, '--json'];
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
    await serve(-3);
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
    await world.run(['trust', 'add', intermediate.path]);
    await world.run(['replace', 'server/https', leaf.path, key]);
    const found = (await examine()).lines.filter((line) => line.startsWith('chains'));
    assert.match(
      found.join('\n'),
      /server\/https\/1: its issuer CN=Intermediate is an intermediate CA, and is not served/,
    );
    assert.match(found.join('\n'), /truststore\/1: its issuer CN=Root is not in the truststore/);
    await world.run(['trust', 'add', root.path]);
    await world.run(['replace', 'server/https', leaf.path, key, intermediate.path]);
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
    const document = { stateDirectory: world.bus.directory, endpoints: [...endpoints, more] };
    writeFileSync(world.configuration, JSON.stringify(document));
    const { status, lines } = await examine();
    assert.equal(status, 8);
    assert.ok(
      lines.some((line) => line.startsWith('endpoints: client/more: ')),
      lines.join('\n'),
    );
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
