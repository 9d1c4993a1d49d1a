import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { until } from '../e2e/commands.ts';
import { readLogLine } from '../fakes/log-lines.ts';
import { type Device, startDevice, whyNoDevice } from './device.ts';
import { ask, install } from './installation.ts';

const manager = 'bmc-certificate-manager';
const redfish = 'bmc-redfish';
const accounts = 'bmc-account-manager';
const cmp = 'bmc-cmp';
const gnoi = 'bmc-gnoi';
const netconf = 'bmc-netconf';
const bundle = 'bmc-bundle';
/** Off until an operator enables them. */
const edges = [cmp, gnoi, netconf, bundle];
const units = [manager, redfish, accounts, ...edges];
/** The users of the units that do not run as root. */
const users: Readonly<Record<string, string>> = {
  [redfish]: redfish,
  [accounts]: 'bmc-accounts',
  [cmp]: cmp,
  [gnoi]: gnoi,
  [netconf]: netconf,
  [bundle]: bundle,
};
const https = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates';
const ldap = '/redfish/v1/AccountService/LDAP/Certificates';
const generate = '/redfish/v1/CertificateService/Actions/CertificateService.GenerateCSR';

/** The highest exposure that `systemd-analyze security` may give, of 10; 0.2 of it are for `NotifyAccess=all`. */
const maxExposure = 2.2;

/** No capability. */
const none = '0'.repeat(16);

describe('what the services may do under systemd', { skip: whyNoDevice() ?? false }, () => {
  let device: Device;
  const pids: Record<string, string> = {};

  before(async () => {
    device = await startDevice();
    await install(device);
    await until('Redfish answers', async () => (await ask(device, https)).status === 200);
    // So that there are keys of each kind
    for (const collection of [https, ldap]) {
      const body = JSON.stringify({ CommonName: 'bmc', CertificateCollection: collection });
      assert.equal((await ask(device, generate, '--json', body)).status, 200);
    }
    await device.must('systemctl', 'start', ...edges);
    for (const unit of units) {
      const show = ['show', '--property=MainPID', '--value', unit];
      pids[unit] = (await device.must('systemctl', ...show)).trim();
    }
  });
  after(() => device?.stop());

  /** Runs a program with the files that a service sees, as its user. */
  const within = (unit: string, ...command: string[]) => {
    const user = users[unit] ?? 'root';
    const as = ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups'];
    return device.run('nsenter', `--target=${pids[unit]}`, '--mount', ...as, ...command);
  };
  const status = async (unit: string) => {
    const text = await device.must('cat', `/proc/${pids[unit]}/status`);
    return Object.fromEntries(text.split('\n').map((line) => line.split(/:\s*/)));
  };

  for (const unit of units) {
    it(`is little for ${unit} in the eyes of systemd`, async () => {
      const text = await device.must('systemd-analyze', 'security', '--no-pager', unit);
      const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(text)?.[1]);
      assert.ok(exposure < maxExposure, `${exposure}`);
    });

    it(`is under a filter of system calls and without new privileges for ${unit}`, async () => {
      const { Seccomp, NoNewPrivs } = await status(unit);
      assert.deepEqual({ Seccomp, NoNewPrivs }, { Seccomp: '2', NoNewPrivs: '1' });
    });

    it(`is to leave no core dump for ${unit}`, async () => {
      const limits = await device.must('cat', `/proc/${pids[unit]}/limits`);
      assert.match(limits, /Max core file size +0 +0/);
      assert.equal(await device.must('cat', `/proc/${pids[unit]}/coredump_filter`), '00000000\n');
    });
  }

  it('is no capability for Redfish but to listen on port 443', async () => {
    // capabilities(7): CAP_NET_BIND_SERVICE is bit 10
    const { CapEff, CapPrm, CapBnd, Uid } = await status(redfish);
    const only = (1 << 10).toString(16).padStart(16, '0');
    assert.deepEqual({ CapEff, CapPrm, CapBnd }, { CapEff: only, CapPrm: only, CapBnd: only });
    assert.doesNotMatch(String(Uid), /^0\b/);
  });

  for (const unit of [accounts, ...edges]) {
    it(`is no capability for ${unit}, which has a user of its own`, async () => {
      const { CapEff, CapPrm, CapBnd, Uid } = await status(unit);
      assert.deepEqual({ CapEff, CapPrm, CapBnd }, { CapEff: none, CapPrm: none, CapBnd: none });
      const id = (await device.must('id', '--user', String(users[unit]))).trim();
      assert.deepEqual([...new Set(String(Uid).split('\t'))], [id]);
    });
  }

  it('is to own files, read those of callers and signal services, for the manager', async () => {
    // CAP_CHOWN 0, CAP_DAC_OVERRIDE 1, CAP_FOWNER 3, CAP_KILL 5
    const all = ((1 << 0) | (1 << 1) | (1 << 3) | (1 << 5)).toString(16).padStart(16, '0');
    assert.equal((await status(manager)).CapBnd, all);
  });

  const access: readonly [string, string, string, boolean][] = [
    [redfish, '-r', '/etc/ssl/certs/https/server.pem', true],
    [accounts, '-r', '/var/lib/bmc-certificate-manager/accounts/accounts.json', true],
    [accounts, '-w', '/var/lib/bmc-certificate-manager/accounts/accounts.json', true],
    [accounts, '-x', '/var/lib/bmc-certificate-manager/redfish', false],
    [accounts, '-r', '/etc/ssl/certs/https/server.pem', false],
    [redfish, '-x', '/var/lib/bmc-certificate-manager/accounts', false],
    [redfish, '-w', '/etc/ssl/certs/https/server.pem', false],
    [redfish, '-w', '/etc/ssl/certs/https', false],
    [redfish, '-r', '/etc/ssl/certs/https/server.pem.requests', false],
    [redfish, '-x', '/etc/ssl/certs/https/server.pem.requests', false],
    [redfish, '-r', '/etc/nslcd/certs', false],
    [redfish, '-x', '/etc/nslcd/certs', false],
    [redfish, '-r', '/etc/shadow', false],
    [redfish, '-w', '/etc/ssl/certs/authority', false],
    [redfish, '-d', '/root/.', false],
    [manager, '-w', '/etc/ssl/certs/https', true],
    [manager, '-w', '/etc/ssl/certs/authority', true],
    [manager, '-w', '/etc/nslcd/certs', true],
    [manager, '-w', '/etc/passwd', false],
    [manager, '-w', '/usr/lib/bmc-certificate-manager/redfish-server.js', false],
    [manager, '-w', '/var/lib/bmc-certificate-manager', false],
    [manager, '-w', '/var/lib/bmc-certificate-manager/redfish', false],
    [manager, '-w', '/var/lib/bmc-certificate-manager/endpoints', true],
    [redfish, '-w', '/var/lib/bmc-certificate-manager', false],
    [redfish, '-w', '/var/lib/bmc-certificate-manager/endpoints', false],
    [manager, '-w', '/etc/systemd/system', false],
    ...edges.flatMap((edge): [string, string, string, boolean][] => [
      [edge, '-r', '/etc/ssl/certs/https/server.pem', false],
      [edge, '-x', '/etc/ssl/certs/https', false],
      [edge, '-x', '/etc/nslcd/certs', false],
      [edge, '-w', '/etc/ssl/certs/authority', false],
      [edge, '-w', '/var/lib/bmc-certificate-manager/endpoints', false],
      [edge, '-w', '/var/lib/bmc-certificate-manager/services', false],
      [edge, '-x', '/var/lib/bmc-certificate-manager/accounts', false],
      [edge, '-x', '/var/lib/bmc-certificate-manager/redfish', false],
      [edge, '-d', '/root/.', false],
    ]),
    [cmp, '-w', '/var/lib/bmc-certificate-manager/enrolment', true],
    [cmp, '-x', '/var/lib/bmc-certificate-manager/gnoi', false],
    [gnoi, '-w', '/var/lib/bmc-certificate-manager/gnoi', true],
    [gnoi, '-x', '/var/lib/bmc-certificate-manager/enrolment', false],
    [gnoi, '-x', '/var/lib/bmc-certificate-manager/trust-bundles', false],
    [bundle, '-w', '/var/lib/bmc-certificate-manager/trust-bundles', true],
    [bundle, '-x', '/var/lib/bmc-certificate-manager/enrolment', false],
    [netconf, '-w', '/var/lib/bmc-certificate-manager/netconf', true],
    [netconf, '-x', '/var/lib/bmc-certificate-manager/gnoi', false],
  ];
  for (const [unit, what, path, may] of access) {
    it(`is ${may ? '' : 'not '}to have ${what} ${path}, for ${unit}`, async () => {
      // What is not there could not be had by anybody
      await device.must('test', '-e', path);
      const { status: refused } = await within(unit, 'test', what, path);
      assert.equal(refused === 0, may);
    });
  }

  for (const unit of [redfish, ...edges]) {
    it(`is for ${unit} to see no process but its own`, async () => {
      const { stdout } = await within(unit, 'ps', '-e', '-o', 'user:32=');
      assert.deepEqual([...new Set(stdout.split('\n').filter((line) => line !== ''))], [unit]);
    });
  }

  it('is for the manager to see whether a service takes its signal', async () => {
    const file = `/proc/${pids[redfish]}/status`;
    const bounds = ['setpriv', '--bounding-set=-sys_ptrace'];
    const { stdout } = await within(manager, ...bounds, 'grep', 'SigCgt', file);
    assert.match(stdout, /^SigCgt:\s[0-9a-f]{16}$/m);
  });

  it('is for the manager to close a key that another user left open to all', async () => {
    const path = '/etc/nslcd/certs/cert.pem';
    const certificate = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    const where = [
      '-nodes',
      '-subj',
      '/CN=theirs',
      '-keyout',
      '/tmp/theirs',
      '-out',
      '/tmp/theirs.pem',
    ];
    await device.must('openssl', ...certificate, ...where);
    await device.must(
      'sh',
      '-c',
      `cat /tmp/theirs.pem >> /tmp/theirs && chown 4711 /tmp/theirs && chmod 644 /tmp/theirs && mv /tmp/theirs ${path}`,
    );
    await device.must('systemctl', 'restart', manager);
    assert.equal(await device.must('stat', '--format=%a', path), '600\n');
  });

  it('is for nobody else to read what either of them keeps', async () => {
    await device.must('useradd', 'somebody');
    for (const path of [
      '/etc/ssl/certs/https',
      '/etc/nslcd/certs',
      '/var/lib/bmc-certificate-manager/redfish',
    ]) {
      const { status: refused } = await device.run('runuser', '-u', 'somebody', '--', 'ls', path);
      assert.notEqual(refused, 0, path);
    }
  });

  it('is for everybody to read the authorities, under the umask of the unit', async () => {
    const path = '/etc/ssl/certs/authority/';
    await device.must('runuser', '-u', 'somebody', '--', 'ls', path);
    await device.must('runuser', '-u', 'somebody', '--', 'test', '-x', path);
  });

  const certs = 'xyz.openbmc_project.Certs';
  const objects = ['org.freedesktop.DBus.ObjectManager', 'GetManagedObjects'];
  const server = [`${certs}.Manager.Server.Https`, '/xyz/openbmc_project/certs/server/https'];
  const atRunTime = [`${certs}.Endpoints`, '/xyz/openbmc_project/certs/endpoints'];
  const changing = (type: string, id: string) => [
    `${certs}.Extension.Endpoints`,
    'Outstanding',
    'ss',
    type,
    id,
  ];
  const accountsObject = [`${certs}.Accounts`, '/xyz/openbmc_project/certs/accounts'];
  const enrolment = [`${certs}.Enrolment`, '/xyz/openbmc_project/certs/enrolment'];
  const bundles = [`${certs}.TrustBundles`, '/xyz/openbmc_project/certs/trust_bundles'];
  const calls: readonly [string, readonly string[], readonly string[]][] = [
    ['read the certificates', [...server, ...objects], [redfish, cmp, gnoi, netconf]],
    ['change them', [...server, `${certs}.Extension.Request`, 'Outstanding'], [redfish, cmp]],
    ['read the endpoints of run time', [...atRunTime, ...objects], [redfish, ...edges]],
    [
      'change those of them that gNOI and NETCONF have',
      [...atRunTime, ...changing('server', 'one')],
      [gnoi, netconf],
    ],
    ['change those of them that CMP has', [...atRunTime, ...changing('client', 'cmp-one')], [cmp]],
    [
      'change those of them that are its groups',
      [...atRunTime, ...changing('authority', 'bundle-one')],
      [redfish, bundle],
    ],
    [
      'ask for the accounts',
      [...accountsObject, `${certs}.Extension.Accounts`, 'Watch'],
      [redfish, gnoi, netconf],
    ],
    [
      'tell the agent of CMP what to do',
      [...enrolment, `${certs}.Extension.Enrolment`, 'Certificates'],
      [],
    ],
    ['read how the bundles stand', [...bundles, ...objects], []],
  ];
  for (const [what, call, callers] of calls) {
    it(`is to ${what} over the bus for ${['root', ...callers].join(', ')} alone`, async () => {
      const as = (user: string) =>
        device.run('runuser', '-u', user, '--', 'busctl', 'call', ...call);
      for (const user of ['root', ...callers]) {
        const { status: failed, stderr } = await as(user);
        assert.equal(failed, 0, `${user}: ${stderr}`);
      }
      const others = [redfish, ...edges, 'somebody'].filter((user) => !callers.includes(user));
      for (const user of others) assert.match((await as(user)).stderr, /Access.*denied/i, user);
    });
  }

  it('leaves lines in the journal that have the name of the unit, and the grammar of the log', async () => {
    await ask(device, https, '--user', 'b\u00fcro "a=b" \\:wrong');
    for (const unit of units) {
      const options = ['--no-pager', '--output=cat', `--identifier=${unit}`];
      const text = await device.must('journalctl', ...options);
      const lines = text.trimEnd().split('\n').map(readLogLine);
      assert.ok(
        lines.some(({ message }) => message.endsWith(' ready')),
        unit,
      );
    }
  });

  it('leaves units that systemd finds nothing wrong with', async () => {
    const files = units.map((unit) => `${unit}.service`);
    const {
      stdout,
      stderr,
      status: wrong,
    } = await device.run('systemd-analyze', 'verify', ...files);
    assert.equal(wrong, 0, stdout + stderr);
    assert.doesNotMatch(stdout + stderr, /bmc-/);
  });
});
