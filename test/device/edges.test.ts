import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { toOutputs, toScript } from '../../scripts/command-blocks.ts';
import { must, until } from '../e2e/commands.ts';
import { clone } from '../e2e/stack.ts';
import { bouncyCastleAuthority, type CmpProgram } from '../fakes/cmp-programs.ts';
import { startNginx } from '../fakes/nginx.ts';
import { caExtensions, opensslAuthority } from '../fakes/openssl-authority.ts';
import { blocksOf, documented, onADevice } from '../how-to/blocks.ts';
import { type Device, startDevice, whyNoDevice } from './device.ts';
import {
  ask,
  configuration,
  install,
  password,
  releaseDirectory,
  runBlocks,
} from './installation.ts';

const manager = 'bmc-certificate-manager';
const edges = ['bmc-cmp', 'bmc-gnoi', 'bmc-bundle', 'bmc-netconf'];
const state = '/var/lib/bmc-certificate-manager';
const serviceFile = `${state}/services/gnoi/credential.pem`;

interface Publisher {
  /** File of the root of those who sign. */
  readonly root: string;
  stop(): Promise<void>;
}

/** The CAs of Debian as a signed bundle, on a web server in the network of the device. */
async function publishDebian(network: readonly string[]): Promise<Publisher> {
  const tools = opensslAuthority();
  const long = { until: '20991231000000Z' };
  const root = tools.issue({ subject: '/CN=root of bundles', extensions: caExtensions, ...long });
  const extensions = ['keyUsage=critical,digitalSignature', 'extendedKeyUsage=codeSigning'];
  const signer = tools.issue({ issuer: root, subject: '/CN=signer', extensions, ...long });
  const www = join(tools.directory, 'www');
  const words = ['bundle', 'publish', join(www, 'cacert'), '/etc/ssl/certs/ca-certificates.crt'];
  const signing = ['--signer', signer.path, '--key', signer.keyPath];
  await must(process.execPath, [join(clone, 'dist/bmc-certs.js'), ...words, ...signing]);
  const server = `server { listen 127.0.0.1:8080; root ${www}; }`;
  const nginx = startNginx(www, server, 'root', network);
  return {
    root: root.path,
    async stop() {
      await nginx.stop();
      tools.remove();
    },
  };
}

/** The units of the edges do the main job of their pages, on one device, in this order. */
describe('the edges under a real systemd', { skip: whyNoDevice() ?? false }, () => {
  let device: Device;
  let ca: CmpProgram;
  let publisher: Publisher;

  before(async () => {
    device = await startDevice();
    await install(device);
    await until('Redfish answers', async () => (await ask(device, '/redfish/v1')).status === 200);
    ca = await bouncyCastleAuthority(3600, device.network);
  });
  before(async () => {
    publisher = await publishDebian(device.network);
  });
  after(async () => {
    await publisher?.stop();
    await ca?.stop();
    await device?.stop();
  });

  const show = async (property: string, unit: string) =>
    (await device.must('systemctl', 'show', `--property=${property}`, '--value', unit)).trim();

  const areOff = async () => {
    for (const unit of edges) {
      const states = [await show('UnitFileState', unit), await show('ActiveState', unit)];
      assert.deepEqual(states, ['disabled', 'inactive'], unit);
    }
  };

  it('are off after the installation', areOff);

  it('enrol a certificate at a CA that speaks CMP, as docs/how-to/cmp.md says', async () => {
    const settings = join(device.root, configuration);
    const document = JSON.parse(readFileSync(settings, 'utf8'));
    document.endpoints.push({ type: 'authority', name: 'cmp' });
    document.endpoints.push({ type: 'server', name: 'gnoi', group: 'bmc-gnoi' });
    document.gnoi = { streams: 'junos' };
    document.netconf = { lenientInteractive: true };
    const pinnedRoots = '/etc/bmc-certificate-manager/bundle-roots';
    document.trustBundles = { bundles: [{ url: 'http://127.0.0.1:8080/cacert', pinnedRoots }] };
    document.enrolment = {
      authorities: [
        {
          ...{ name: 'lab', url: `http://127.0.0.1:${ca.port}/server`, endpoint: 'cmp' },
          keyList: [{ reference: '1', passwordFile: `${state}/enrolment/password` }],
        },
      ],
      certificates: [
        {
          ...{ name: 'bmc', endpoint: 'server/https', authority: 'lab', reference: '1' },
          subject: 'C=NL,O=Example,CN={hostname}',
          names: ['DNS:{hostname}', 'DNS:localhost', 'IP:127.0.0.1'],
          probe: '127.0.0.1:443',
        },
      ],
    };
    writeFileSync(settings, JSON.stringify(document));
    copyFileSync(ca.certificate, join(device.root, 'root/ca.pem'));
    copyFileSync(ca.passwordFile, join(device.root, 'root/cmp-password'));
    const [printed] = await runBlocks(device, '/root', onADevice('cmp'), '');
    assert.match(String(printed), /Received 'accepted'\./);
    const shown =
      'openssl s_client -connect 127.0.0.1:443 </dev/null 2>/dev/null | openssl x509 -noout -issuer';
    assert.match(await device.must('sh', '-c', shown), /CN = ManagementCA/);
  });

  it('install and rotate over gNOI, as docs/how-to/gnoi.md says', async () => {
    await runBlocks(device, '/root', onADevice('gnoi'), '');
    // Seen from outside: the programs of the page are on this machine, and only their network is that of the device
    const within = `/proc/${device.init}/root`;
    const readers = ['bmc-gnoi', 'bmc-cmp', 'bmc-redfish', 'bmc-accounts'].map(
      (user) =>
        `nsenter --all --target ${device.init} runuser -u ${user} -- cat ${serviceFile} >/dev/null && echo read by ${user} || true\n`,
    );
    const blocks = blocksOf('gnoi');
    const last = blocks.findIndex(({ heading }) => heading === 'Revoke');
    blocks.splice(last, 0, { heading: 'readers', text: readers.join(''), notRun: undefined });
    const script = toScript(blocks)
      .replace('state=$PWD/var', `state=${within}${state}`)
      .replace('bus=unix:path=$state/run/bus', `bus=unix:path=${within}/run/dbus/system_bus_socket`)
      .replace('$state/gnoi/own.pem', '$state/endpoints/server-gnoi/server.pem');
    const [program = '', ...args] = [...device.network, 'bash', '-c', script];
    const shell = spawn(program, args, { cwd: clone });
    let printed = '';
    for (const stream of [shell.stdout, shell.stderr])
      stream.on('data', (chunk) => {
        printed += chunk;
      });
    shell.stdin.end(`${password}\n`);
    const [ending] = await once(shell, 'close');
    const outputs = toOutputs(printed);
    assert.equal(ending, 0, outputs.at(-1));
    assert.deepEqual(outputs[last]?.match(/^read by .*$/gm), ['read by bmc-gnoi']);
  });

  it('follow a signed bundle, as docs/how-to/trust-bundle.md says', async () => {
    copyFileSync(publisher.root, join(device.root, 'root/root.pem'));
    const printed = await runBlocks(device, '/root', onADevice('trust-bundle'), '');
    assert.match(
      printed.join(''),
      /Revision +1[\s\S]*default-trusted-ca-certs +run time +loaded +1/,
    );
    const ofLogins = await device.run('bmc-certs', 'bundle', 'load', 'gnoi-ca-bundle', 'default');
    assert.match(ofLogins.stderr, /the CAs of gnoi-ca-bundle let clients log in/);
    await device.must('bmc-certs', 'bundle', 'load', 'of-others', 'default');
    await until('the manager refuses a group that the program may not change', async () => {
      const { stdout } = await device.run('bmc-certs', 'bundle', 'groups', '--json');
      return JSON.parse(stdout).some(
        ({ group, failure }: Record<string, string | null>) =>
          group === 'of-others' && failure?.startsWith('refused'),
      );
    });
  });

  it('let clients of NETCONF in as the users of their certificates, as docs/how-to/netconf.md says', async () => {
    await runBlocks(device, '/root', onADevice('netconf'), '');
    const within = `/proc/${device.init}/root`;
    // ncclient comes over a network that the device does not have
    const python = '9. Read and change certificates with a program';
    const blocks = blocksOf('netconf').filter(
      ({ heading }) => heading !== 'On a device' && heading !== python,
    );
    const script = toScript(blocks).replace(
      '"unix:path=$state/run/bus"',
      `unix:path=${within}/run/dbus/system_bus_socket`,
    );
    const [program = '', ...args] = [...device.network, 'bash', '-c', script];
    const shell = spawn(program, args, { cwd: clone });
    let printed = '';
    for (const stream of [shell.stdout, shell.stderr])
      stream.on('data', (chunk) => {
        printed += chunk;
      });
    shell.stdin.end();
    const [ending] = await once(shell, 'close');
    const outputs = toOutputs(printed);
    assert.equal(ending, 0, outputs.at(-1));
    const typed = outputs[blocks.findIndex(({ heading }) => heading === '8. Type a session')];
    assert.match(typed ?? '', /<!--[^>]*admin[^>]*-->[\s\S]*<hello[\s\S]*<ok\/>/);
  });

  const serves: Readonly<Record<string, () => Promise<boolean>>> = {
    'bmc-cmp': async () => /InUse/.test((await device.run('bmc-certs', 'enrol', 'status')).stdout),
    async 'bmc-gnoi'() {
      const client = 'openssl s_client -connect 127.0.0.1:32767 </dev/null 2>/dev/null';
      const shown = await device.run('sh', '-c', `${client} | openssl x509 -noout -fingerprint`);
      return shown.status === 0;
    },
    'bmc-bundle': async () =>
      (await device.run('bmc-certs', 'bundle', 'check-server')).status === 0,
    'bmc-netconf': async () =>
      /State +ready/.test((await device.run('bmc-certs', 'netconf', 'status')).stdout),
  };
  const found = async (unit: string) => {
    const log = await device.must('journalctl', '--no-pager', '--output=cat', '--unit', unit);
    return log.split('certificate manager found').length;
  };
  for (const [unit, answers] of Object.entries(serves)) {
    it(`go on as ${unit} through a reload and a restart of the manager`, async () => {
      const pid = await show('MainPID', unit);
      await device.must('systemctl', 'reload', unit);
      await until('it answers', answers);
      const before = await found(unit);
      await device.must('systemctl', 'restart', manager);
      await until('it has found the manager', async () => (await found(unit)) > before);
      await until('it answers', answers);
      assert.equal(await show('MainPID', unit), pid);
    });

    it(`come back as ${unit} after a restart and a kill -9`, async () => {
      await device.must('systemctl', 'restart', unit);
      await until('it answers', answers);
      const pid = await show('MainPID', unit);
      await device.must('kill', '-9', pid);
      await until('it runs again', async () => !['0', pid].includes(await show('MainPID', unit)));
      await until('it answers', answers);
    });
  }

  it('are off again after a purge and another installation', async () => {
    await device.must('apt-get', 'purge', '-y', manager);
    for (const unit of edges) assert.equal(await show('LoadState', unit), 'not-found');
    await runBlocks(device, releaseDirectory, documented('install', 'Install the package'), '');
    await areOff();
  });
});
