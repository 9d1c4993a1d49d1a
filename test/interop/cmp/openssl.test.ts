import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { attempt } from '../../../src/cmp/enrolment/attempt.ts';
import { EnrolmentFault } from '../../../src/cmp/enrolment-fault.ts';
import { certRequest } from '../../../src/cmp/messages/certificate-request.ts';
import { decodeMessage } from '../../../src/cmp/messages/pki-message.ts';
import { readAs } from '../../../src/x509/asn1/structure.ts';
import { formatPem } from '../../../src/x509/pem.ts';
import { type EnrolmentWorld, enrolmentWorld, password } from '../../cmp/enrolment/world.ts';
import {
  caExtensions,
  type Issued,
  type OpensslAuthority,
  openssl,
  opensslAuthority,
} from '../../fakes/openssl-authority.ts';

const relay = fileURLToPath(new URL('openssl-relay.mjs', import.meta.url));
/** A namespace of its own, whose loopback has to be brought up. */
const isolate = [
  ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']),
  ...['--net', 'sh', '-c'],
];
const inside = `ip link set lo up && exec "${process.execPath}" "${relay}"`;
const works = spawnSync('unshare', [...isolate, 'ip link set lo up'], { stdio: 'ignore' });
const skip = works.status === 0 ? false : 'this user may make no network namespace';

/**
 * The mock server of openssl has one certificate for everybody. In front of it the test takes the public key out of a request,
 * has openssl issue a certificate for that key, and starts a server with it: openssl judges protection, proof and confirmation.
 */
describe('enrolment at the server of openssl cmp', { skip }, () => {
  let authority: OpensslAuthority;
  let ca: Issued;
  let world: EnrolmentWorld;
  let child: ChildProcessWithoutNullStreams;
  let answers: AsyncIterator<string>;
  let more: readonly string[] = [];

  before(() => {
    authority = opensslAuthority();
    ca = authority.issueCa({
      subject: '/O=Test/CN=openssl CA',
      extensions: [
        ...caExtensions.slice(0, 1),
        'keyUsage=critical,keyCertSign,digitalSignature',
        'subjectKeyIdentifier=hash',
      ],
    });
    child = spawn('unshare', [...isolate, inside]);
    child.stderr.pipe(process.stderr);
    answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  });
  after(() => {
    child?.stdin.end();
    authority?.remove();
  });
  beforeEach(() => {
    more = [];
    world = enrolmentWorld();
    world.clock.now = Date.now();
    world.device.anchors = [ca.certificate];
  });
  afterEach(() => world.remove());

  const ask = async (document: object): Promise<Record<string, unknown>> => {
    child.stdin.write(`${JSON.stringify(document)}\n`);
    const { value } = await answers.next();
    return JSON.parse(value);
  };

  /** Issues for the key of a request, by the subject and the names that the world asks for. */
  const issueFor = (message: Buffer): string | undefined => {
    const { body } = decodeMessage(message);
    if (body.kind !== 'ir' && body.kind !== 'cr' && body.kind !== 'kur') return undefined;
    const { certTemplate } = readAs(certRequest, body.value[0]?.certReq ?? Buffer.alloc(0));
    const key = authority.write(
      'pub.pem',
      formatPem('PUBLIC KEY', certTemplate.publicKey ?? Buffer.alloc(0)),
    );
    const names = 'DNS:bmc.example.com,IP:192.0.2.5,IP:2001:db8::5';
    const extensions = authority.write(
      'ext.cnf',
      `subjectAltName=${names}\nextendedKeyUsage=serverAuth,clientAuth\nkeyUsage=digitalSignature\nsubjectKeyIdentifier=hash\n`,
    );
    const path = authority.write('issued.pem', '');
    openssl([
      ...[
        'x509',
        '-new',
        '-force_pubkey',
        key,
        '-subj',
        '/C=NL/O=Example, Inc./CN=bmc.example.com',
      ],
      ...['-CA', ca.path, '-CAkey', ca.keyPath, '-extfile', extensions, '-days', '2', '-out', path],
    ]);
    return path;
  };

  const send = async (_profile: unknown, message: Buffer): Promise<Buffer> => {
    const issued = issueFor(message);
    if (issued !== undefined) {
      const { isRunning, complaints } = await ask({
        start: [
          ...['-srv_ref', '1', '-srv_secret', `pass:${password}`, '-srv_cert', ca.path],
          ...['-srv_key', ca.keyPath, '-srv_trusted', ca.path, '-rsp_cert', issued, ...more],
        ],
      });
      if (isRunning !== true) throw new Error(String(complaints));
    }
    const { answer, error } = await ask({ message: message.toString('base64') });
    if (typeof answer === 'string') return Buffer.from(answer, 'base64');
    throw new EnrolmentFault('transport', String(error));
  };

  it('takes our ir under a password, our proof of possession and our confirmation', async () => {
    assert.deepEqual(await attempt(world.context({ send })), { isInstalled: true });
    assert.ok(world.device.served);
  });

  it('takes our cr that the key in force signed', async () => {
    await attempt(world.context({ send }));
    const before = world.device.served;
    assert.deepEqual(await attempt(world.context({ send }), { operation: 'cr' }), {
      isInstalled: true,
    });
    assert.notEqual(world.device.served, before);
  });

  it('lets us wait, and takes our questions', async () => {
    more = ['-poll_count', '2', '-check_after', '1'];
    for (;;) {
      const outcome = await attempt(world.context({ send }));
      if ('isInstalled' in outcome) break;
      world.clock.now = outcome.until;
    }
    assert.ok(world.device.served);
  });

  it('refuses in words that we pass on', async () => {
    more = ['-pkistatus', '2', '-failure', '19', '-statusstring', 'not for you'];
    await assert.rejects(
      attempt(world.context({ send })),
      (error) =>
        error instanceof EnrolmentFault && /not for you.*badCertTemplate/.test(error.message),
    );
  });
});
