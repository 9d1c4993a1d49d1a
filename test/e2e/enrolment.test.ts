import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { bouncyCastleAuthority, type CmpProgram } from '../fakes/cmp-programs.ts';
import { type StackProcess, stackDirectory, startUp } from '../fakes/stack-process.ts';
import { must, run, until } from './commands.ts';
import { clone } from './stack.ts';

const script = (name: string) => join(clone, 'dist', `${name}.js`);
/** In seconds; certificates begin a minute before they are issued. */
const lifetime = 600;

describe('enrolment by CMP', () => {
  let ca: CmpProgram;
  let stack: StackProcess | undefined;
  let bus = '';
  let port = 0;
  let configuration = '';
  let agent: ChildProcess | undefined;
  const directory = stackDirectory();

  before(async () => {
    ca = await bouncyCastleAuthority(lifetime);
    stack = await startUp(['--state-dir', directory, '--password-file', passwordFile()]);
    bus = stack.ready.bus ?? '';
    port = Number(new URL(stack.ready.url ?? '').port);
    await certs('trust', 'add', ca.certificate);
  });
  after(async () => {
    agent?.kill('SIGKILL');
    stack?.kill('SIGTERM');
    await ca.stop();
  });

  const passwordFile = () => {
    const path = join(directory, 'password');
    writeFileSync(path, 'correct-horse-battery\n', { mode: 0o600 });
    return path;
  };
  const certs = (...args: string[]) =>
    must(process.execPath, [script('bmc-certs'), '--bus', bus, ...args]);
  const certsOutcome = (...args: string[]) =>
    run(process.execPath, [script('bmc-certs'), '--bus', bus, ...args]);
  const statusOfCertificate = async (): Promise<Record<string, string | null>> =>
    JSON.parse(await certs('enrol', 'status', '--json'))[0];

  /** Writes the configuration of the agent: that of the stack, and what is to be enrolled. */
  const configure = (path: string, more: object = {}, authority: object = {}) => {
    const stack = JSON.parse(readFileSync(join(directory, 'configuration.json'), 'utf8'));
    const enrolment = {
      authorities: [
        {
          name: 'lab',
          url: `http://127.0.0.1:${ca.port}/${path}`,
          endpoint: 'truststore',
          keyList: [{ reference: '1', passwordFile: ca.passwordFile }],
          ...authority,
        },
      ],
      certificates: [
        {
          name: 'bmc',
          endpoint: 'server/https',
          authority: 'lab',
          reference: '1',
          subject: 'C=NL,O=Test,CN=bmc',
          names: ['DNS:bmc.example.com', 'IP:127.0.0.1'],
          probe: `127.0.0.1:${port}`,
          ...more,
        },
      ],
    };
    configuration = join(directory, 'agent.json');
    writeFileSync(configuration, JSON.stringify({ ...stack, enrolment }));
  };

  const startAgent = async () => {
    const child = fork(script('cmp-agent'), ['--config', configuration], { execArgv: [] });
    agent = child;
    await new Promise<void>((resolve, reject) => {
      child.once('message', (message: object) =>
        'ready' in message ? resolve() : reject(new Error(JSON.stringify(message))),
      );
      child.once('exit', (status) => reject(new Error(`the agent ended with ${status}`)));
    });
  };
  const endAgent = async (signal: NodeJS.Signals) => {
    const child = agent;
    if (!child) return;
    agent = undefined;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  };

  /** The serial number of the certificate on the wire, by a handshake that checks it. */
  const served = () =>
    new Promise<string>((resolve, reject) => {
      const authorities = readFileSync(ca.certificate, 'utf8');
      const options = { host: '127.0.0.1', port, servername: 'bmc.example.com', ca: authorities };
      const socket = connect(options, () => {
        resolve(socket.getPeerX509Certificate()?.serialNumber ?? '');
        socket.destroy();
      });
      socket.on('error', reject);
    });

  it('brings the first certificate of the CA into service', async () => {
    configure('server');
    await startAgent();
    assert.equal((await statusOfCertificate()).state, 'NoCertificate');
    await assert.rejects(served());
    assert.equal(await certs('enrol', 'now'), "Received 'accepted'.\n");
    assert.match(await served(), /^[0-9A-F]+$/);
    assert.equal((await statusOfCertificate()).state, 'InUse');
    const shown = JSON.parse(await certs('enrol', 'show-request', '--json'));
    assert.equal(shown.request, 'initialRegistration');
    assert.equal(shown.protection, 'password-based');
    assert.equal(shown.response, 'accepted');
    assert.deepEqual(shown.names, ['dns:bmc.example.com', 'ip:127.0.0.1']);
    assert.ok(ca.lines.includes('confirmed by the client'));
    assert.match(await certs('enrol', 'ca', 'lab'), /CN=ManagementCA/);
    assert.deepEqual(JSON.parse(await certs('requests', '--json')), []);
  });

  it('leaves what is in service where the CA refuses, and says which layer', async () => {
    const before = await served();
    const refused = await certsOutcome('enrol', 'now', '--operation', 'ir');
    assert.equal(refused.status, 5);
    assert.match(refused.stderr, /Not enrolled \(ca\): .*end entity is Generated/);
    assert.equal(await served(), before);
    const unknown = await certsOutcome('enrol', 'now', '--operation', 'ir', '--reference', '2');
    assert.match(unknown.stderr, /Not enrolled \(configuration\)/);
    await certs('enrol', 'abort');
    assert.equal((await statusOfCertificate()).state, 'InUse');
  });

  it('renews it by itself with the key in force, and no client loses its connection', async () => {
    const before = await served();
    await endAgent('SIGTERM');
    // Nearly the whole life before the end, so it is due within seconds
    configure('server', { renewBeforeHours: (lifetime + 55) / 3600 });
    await startAgent();
    const client = await connected(port);
    await until('another certificate', async () => (await served()) !== before);
    assert.equal(await client.ask(), 200);
    client.close();
    await until('InUse', async () => (await statusOfCertificate()).state === 'InUse');
    const shown = JSON.parse(await certs('enrol', 'show-request', '--json'));
    assert.equal(shown.request, 'keyUpdate');
    assert.equal(shown.protection, 'signature-based');
  });

  it('goes on where it was when the process is killed while the CA lets it wait', async () => {
    await endAgent('SIGTERM');
    configure('poll');
    await startAgent();
    // A renewal may have been under way, too
    await until('InUse', async () => (await statusOfCertificate()).state === 'InUse');
    const before = await served();
    assert.equal(await certs('enrol', 'now', '--operation', 'cr'), "Received 'waiting'.\n");
    await endAgent('SIGKILL');
    assert.equal(await served(), before);
    await startAgent();
    await until('InUse', async () => (await statusOfCertificate()).state === 'InUse');
    await until('another certificate', async () => (await served()) !== before);
  });

  it('leaves what is in service where the CA issues a bad certificate, or is away', async () => {
    await endAgent('SIGTERM');
    configure('client');
    await startAgent();
    const before = await served();
    const refused = await certsOutcome('enrol', 'now', '--operation', 'kur');
    assert.match(refused.stderr, /Not enrolled \(certificate\): .*ServerAuthentication/);
    assert.equal(await served(), before);
    assert.ok(ca.lines.includes('refused by the client'));
    await endAgent('SIGTERM');
    configure('server', {}, { url: 'http://127.0.0.1:1/' });
    await startAgent();
    const away = await certsOutcome('enrol', 'now', '--operation', 'kur');
    assert.equal(away.status, 7);
    assert.match(away.stderr, /Not enrolled \(transport\)/);
  });

  it('refuses a configuration with the path of the member that is wrong', async () => {
    configure('server', { authority: 'nobody' });
    const started = await run(process.execPath, [script('cmp-agent'), '--config', configuration]);
    assert.equal(started.status, 1);
    assert.match(started.stderr, /\/enrolment\/certificates\/0\/authority .* names no CA profile/);
    configure('server', {}, { revocationCheck: 'crl' });
    const other = await run(process.execPath, [script('cmp-agent'), '--config', configuration]);
    assert.match(other.stderr, /\/enrolment\/authorities\/0\/revocationCheck/);
  });
});

/** A client that keeps its connection to the service. */
async function connected(port: number) {
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    const made = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () =>
      resolve(made),
    );
    made.on('error', reject);
  });
  const ask = () =>
    new Promise<number>((resolve, reject) => {
      const asked = request(
        {
          createConnection: () => socket,
          path: '/redfish/v1',
          headers: { Connection: 'keep-alive' },
        },
        (response) => {
          response.resume();
          response.on('end', () => resolve(response.statusCode ?? 0));
        },
      );
      asked.on('error', reject);
      asked.end();
    });
  assert.equal(await ask(), 200);
  return { ask, close: () => socket.destroy() };
}
