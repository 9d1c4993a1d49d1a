import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { status } from '@grpc/grpc-js';
import { System } from '../../schemas/generated/gnoi/system_pb.js';
import { subjectText } from '../../src/x509/certificate.ts';
import { killProcesses, must, until } from '../e2e/commands.ts';
import {
  clone,
  type RunningStack,
  removeDirectory,
  startStack,
  temporaryDirectory,
} from '../e2e/stack.ts';
import { assertDeclaredShape } from '../fakes/declared-shape.ts';
import { certificateOf, type Issued, opensslAuthority } from '../fakes/openssl-authority.ts';
import { GnoiClient } from './client.ts';
import { certificates, csrParams, sent, serverExtensions } from './world.ts';

const id = 'gnoi-server1';
const program = join(clone, 'dist/bmc-certs.js');
const finalize = { rotateRequest: { case: 'finalizeRotation' as const, value: {} } };

/** The main job on the stack as `npm start` runs it, with a real manager and real accounts. */
describe('the gNOI service of the local stack', () => {
  const state = temporaryDirectory();
  const tools = opensslAuthority();
  const clients: GnoiClient[] = [];
  let stack: RunningStack;
  let ca: Issued;
  let shows: Issued;
  let port: number;

  before(async () => {
    stack = await startStack(state, ['--with', 'gnoi', '--gnoi-port', '0']);
    port = Number(/ gnoi=127\.0\.0\.1:(\d+)$/m.exec(stack.output())?.[1]);
    ca = tools.issueCa();
    shows = tools.issue({ issuer: ca, subject: '/CN=client' });
  });
  after(async () => {
    for (const client of clients) client.close();
    await stack?.stop();
    tools.remove();
    removeDirectory(state);
  });

  const own = () => certificateOf(readFileSync(join(state, 'gnoi', 'own.pem'), 'utf8')).pem;

  function connect(trusts = ca.pem, password = stack.password): GnoiClient {
    const client = new GnoiClient({ port, trusts, shows, password });
    clients.push(client);
    return client;
  }

  async function bind(): Promise<void> {
    const name = 'xyz.openbmc_project.Certs';
    const object = [`${name}.Endpoints`, '/xyz/openbmc_project/certs/endpoints'];
    const method = [`${name}.Extension.Endpoints`, 'Bind', 'sss', 'gnoi', 'server', id];
    await must('busctl', [`--address=${stack.bus}`, 'call', ...object, ...method]);
  }

  /** The fingerprint of what the service says that it has, once it answers. */
  const held = () =>
    until('the service tells its certificates', async () => {
      const client = connect();
      const answer = await client.call(certificates.getCertificates, {}).catch(() => undefined);
      client.close();
      const [info] = answer?.certificateInfo ?? [];
      const text = Buffer.from(info?.certificate?.certificate ?? []).toString();
      return answer && (text === '' ? 'none' : certificateOf(text).fingerprint);
    });

  /** Rotates up to the point where the certificate is on trial. */
  async function rotate() {
    const stream = connect().open(certificates.rotate);
    const { rotateResponse } = await stream.ask({
      rotateRequest: { case: 'generateCsr', value: { certificateId: id, csrParams } },
    });
    assert.equal(rotateResponse.case, 'generatedCsr');
    const request = Buffer.from(rotateResponse.value.csr?.csr ?? []).toString();
    const pem = tools.sign(request, ca, serverExtensions);
    const value = { certificate: sent(pem) };
    await stream.ask({ rotateRequest: { case: 'loadCertificate', value } });
    return { stream, fingerprint: certificateOf(pem).fingerprint };
  }

  const kill = (program: string) => killProcesses(state, `${program}.js`);

  it('begins with a certificate of its own, and asks clients for none', async () => {
    const client = connect(own());
    const { time } = await client.call(System.method.time, {});
    assert.ok(time > 1_700_000_000_000_000_000n);
    await assert.rejects(connect(own(), 'wrong').call(System.method.time, {}), {
      code: status.UNAUTHENTICATED,
    });
  });

  it('installs a certificate with a bundle, and then wants certificates of clients', async () => {
    const stream = connect(own()).open(certificates.install);
    const { installResponse } = await stream.ask({
      installRequest: { case: 'generateCsr', value: { certificateId: id, csrParams } },
    });
    assert.equal(installResponse.case, 'generatedCsr');
    const request = Buffer.from(installResponse.value.csr?.csr ?? []).toString();
    const pem = tools.sign(request, ca, serverExtensions);
    const value = { certificate: sent(pem), caCertificates: [sent(ca.pem)] };
    await stream.ask({ installRequest: { case: 'loadCertificate', value } });
    assert.equal((await stream.status).code, status.OK);
    await bind();
    const { certificateInfo } = await connect().call(certificates.getCertificates, {});
    const [info] = certificateInfo;
    assert.deepEqual(
      info?.endpoints.map(({ endpoint }) => endpoint),
      ['gnoi'],
    );
    const stranger = new GnoiClient({ port, trusts: ca.pem, password: stack.password });
    clients.push(stranger);
    await assert.rejects(stranger.call(System.method.time, {}), { code: status.UNAVAILABLE });
  });

  it('keeps what is finalized, also over a restart', async () => {
    const { stream, fingerprint } = await rotate();
    await connect().call(System.method.time, {});
    stream.send(finalize);
    assert.equal((await stream.status).code, status.OK);
    assert.equal(await held(), fingerprint);
    for (const one of ['gnoi-server', 'certificate-manager']) assert.equal(kill(one), 1);
    await until('it is in service again', async () => (await held()) === fingerprint);
  });

  it('tells an operator whom it lets in and why, and what is on trial, which the operator may give more time', async () => {
    const told = () => operate('gnoi', 'status');
    const idle = await told();
    assert.deepEqual(
      [idle.port, idle.certificate, idle.clientAuthentication, idle.cause],
      [port, id, 'require-and-verify', 'bundle'],
    );
    assert.deepEqual([idle.authorities, idle.rotations], [[subjectText(ca.certificate)], []]);
    const text = await must(process.execPath, [program, '--bus', stack.bus, 'gnoi', 'status']);
    assert.match(text, /required, implicitly, by gnoi-ca-bundle/);
    await assert.rejects(operate('gnoi', 'extend', '60'), /No rotation is on trial/);

    const { stream } = await rotate();
    const deadline = ({ rotations: [one] }: Awaited<ReturnType<typeof told>>) => {
      assert.equal(one?.id, id);
      return Date.parse(one.deadline);
    };
    const before = deadline(await told());
    assert.ok(before > Date.now() && before < Date.now() + 301_000);
    await operate('gnoi', 'extend', '900');
    const after = deadline(await told());
    assert.ok(after > before + 500_000 && after < Date.now() + 901_000);
    await assert.rejects(operate('gnoi', 'extend', '900', 'other'), /no rotation of other/);
    // A cancel of this client may look like the end of a step of junos, whose trial waits for the next stream
    stream.send({});
    assert.equal((await stream.status).code, status.INVALID_ARGUMENT);
    await until('nothing is on trial', async () => (await told()).rotations.length === 0);
  });

  interface Status {
    readonly port: number;
    readonly certificate: string | null;
    readonly clientAuthentication: string;
    readonly cause: string;
    readonly authorities: readonly string[];
    readonly rotations: readonly { readonly id: string; readonly deadline: string }[];
  }

  async function operate(...words: string[]): Promise<Status> {
    const command = [program, '--bus', stack.bus, '--json', ...words];
    const answer: Status = JSON.parse(await must(process.execPath, command));
    assertDeclaredShape(words, answer);
    return answer;
  }

  for (const program of ['gnoi-server', 'certificate-manager']) {
    it(`undoes a rotation on trial when ${program} is killed`, async () => {
      const before = await held();
      const { fingerprint } = await rotate();
      assert.equal(await held(), fingerprint);
      assert.equal(kill(program), 1);
      await until('all is as before', async () => (await held()) === before);
    });

    it(`has the old or the new certificate, whole, when ${program} is killed in the commit`, async () => {
      const before = await held();
      const { stream, fingerprint } = await rotate();
      stream.send(finalize);
      assert.equal(kill(program), 1);
      const { code } = await stream.status;
      const after = await until('one of both is there to stay', async () => {
        const now = await held();
        const isSettled = now === before || (now === fingerprint && !(await isOnTrial()));
        return isSettled && now;
      });
      if (code === status.OK) assert.equal(after, fingerprint);
      // The service shows it, with its key
      await connect().call(System.method.time, {});
    });
  }

  async function isOnTrial(): Promise<boolean> {
    const client = connect();
    const stream = client.open(certificates.rotate);
    const answer = await stream
      .ask({ rotateRequest: { case: 'generateCsr', value: { certificateId: id, csrParams } } })
      .catch(() => undefined);
    stream.cancel();
    await stream.status;
    client.close();
    return answer === undefined;
  }

  it('shows its own certificate again after the other was revoked, and still wants those of clients', async () => {
    const session = connect();
    const answer = await session.call(certificates.revokeCertificates, {
      certificateId: ['unknown', id],
    });
    assert.deepEqual(answer.revokedCertificateId, ['unknown', id]);
    assert.deepEqual((await session.call(certificates.getCertificates, {})).certificateInfo, []);
    await connect(own()).call(System.method.time, {});
    const stranger = new GnoiClient({ port, trusts: own(), password: stack.password });
    clients.push(stranger);
    await assert.rejects(stranger.call(System.method.time, {}), { code: status.UNAVAILABLE });
  });

  it('follows at SIGHUP what the configuration says of clients, before what the bundle implies', async () => {
    const path = join(state, 'configuration.json');
    const before: { gnoi: object } = JSON.parse(readFileSync(path, 'utf8'));
    const configure = (gnoi: object) => {
      writeFileSync(path, JSON.stringify({ ...before, gnoi: { ...before.gnoi, ...gnoi } }));
      assert.equal(killProcesses(state, 'gnoi-server.js', 'SIGHUP'), 1);
    };
    const isInForce = async (mode: string, cause: string) => {
      const now = await operate('gnoi', 'status');
      return now.clientAuthentication === mode && now.cause === cause;
    };
    configure({ clientAuthentication: 'request', port: 1 });
    await until('the mode is in force', () => isInForce('request', 'configuration'));
    const stranger = new GnoiClient({ port, trusts: own(), password: stack.password });
    clients.push(stranger);
    await stranger.call(System.method.time, {});
    const inLog = /settings count after a restart.*\/gnoi\/port/;
    await until('the log says so', () => inLog.test(stack.output()));
    configure({});
    await until('the bundle decides', () => isInForce('require-and-verify', 'bundle'));
  });

  it('lets in clients without certificates again, and ends the others, when an operator clears the bundle', async () => {
    const session = connect(own());
    const stream = session.open(certificates.install);
    await stream.ask({
      installRequest: { case: 'generateCsr', value: { certificateId: 'other', csrParams } },
    });
    await operate('gnoi', 'clear-bundle');
    assert.notEqual((await stream.status).code, status.OK);
    const stranger = new GnoiClient({ port, trusts: own(), password: stack.password });
    clients.push(stranger);
    await stranger.call(System.method.time, {});
    const { clientAuthentication, cause, authorities } = await operate('gnoi', 'status');
    assert.deepEqual([clientAuthentication, cause, authorities], ['none', 'no bundle', []]);
    await assert.rejects(operate('gnoi', 'clear-bundle'), /There is no gnoi-ca-bundle/);
  });
});
