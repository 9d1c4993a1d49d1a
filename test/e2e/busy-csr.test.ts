import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { errorNameOf } from '../../src/dbus/server/error-names.ts';
import { type BusCaller, busCaller } from '../fakes/bus-caller.ts';
import { names, paths } from '../fakes/manager-process.ts';
import { csrParameters } from '../fakes/manager-world.ts';
import { refusal } from '../fakes/refusal.ts';
import { childrenOf, pidOf } from '../torture/soak/processes.ts';
import { must, until } from './commands.ts';
import { curl, logIn } from './redfish-client.ts';
import { type RunningStack, removeDirectory, startStack, temporaryDirectory } from './stack.ts';

const generateCsr = 'xyz.openbmc_project.Certs.CSR.Create.GenerateCSR';
const read = 'xyz.openbmc_project.Certs.CSR.CSR';
const csr = `${paths.server}/csr`;
const action = '/redfish/v1/CertificateService/Actions/CertificateService.GenerateCSR';
const https = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates';
const slow = { KeyPairAlgorithm: 'RSA', KeyBitLength: 4096n, KeyCurveId: '' };

describe('a CSR that comes while as many as may be are in the making', () => {
  const directory = temporaryDirectory();
  let stack: RunningStack;
  let token: string;
  let callers: BusCaller[] = [];

  before(async () => {
    const configuration = join(directory, 'limits.json');
    const redfish = { tasks: { patienceSeconds: 10 } };
    writeFileSync(configuration, JSON.stringify({ limits: { queuedRequests: 1 }, redfish }));
    stack = await startStack(directory, ['--config', configuration]);
    token = await logIn(stack.url, stack.password);
    callers = await Promise.all(
      Array.from({ length: 4 }, () => busCaller(stack.bus, names.server)),
    );
  });
  after(async () => {
    for (const caller of callers) caller.leave();
    await stack?.stop();
    removeDirectory(directory);
  });

  const generate = (caller: BusCaller, CommonName: string, more = {}) => {
    const body = Object.values(csrParameters({ CommonName, ...more }));
    return caller.call(paths.server, generateCsr, 'asssssssssxssassssss', ...body);
  };
  const request = (CommonName: string, headers: readonly string[] = [], more = {}) =>
    curl(`${stack.url}${action}`, {
      token,
      headers,
      body: { CertificateCollection: { '@odata.id': https }, CommonName, ...more },
    });
  const subjectOf = (pem: unknown) => must('openssl', ['req', '-noout', '-subject'], String(pem));

  /** Stops the worker that makes the key. @returns how to let it go on */
  async function holdWorker(): Promise<() => void> {
    const manager = pidOf(stack.state, 'manager') ?? 0;
    const [worker] = await until('a worker is there', () => {
      const children = [...childrenOf(manager).keys()];
      return children.length > 0 && children;
    });
    if (worker === undefined) throw new Error('there is no worker');
    process.kill(worker, 'SIGSTOP');
    return () => process.kill(worker, 'SIGCONT');
  }

  async function refuseEverybody(): Promise<void> {
    const all = callers.flatMap((caller) => [1, 2, 3].map((at) => generate(caller, `late-${at}`)));
    for (const answer of await Promise.allSettled(all)) {
      assert.ok(answer.status === 'rejected', 'it is refused');
      assert.equal(errorNameOf(answer.reason), 'xyz.openbmc_project.Common.Error.NotAllowed');
      refusal('busy')(answer.reason);
    }
    const answer = await request('late');
    assert.equal(answer.status, 503, answer.text);
    assert.match(answer.headers['retry-after'] ?? '', /^\d+$/);
  }

  it('is refused on the bus and by Redfish, and the CSR of the caller before it is read as if nobody else had called', async () => {
    const [first] = callers;
    assert.ok(first);
    assert.equal(await generate(first, 'first', slow), csr);
    const goOn = await holdWorker();
    try {
      await refuseEverybody();
    } finally {
      goOn();
    }
    await until('the CSR is announced', () => first.signals('InterfacesAdded').length > 0);
    assert.match(await subjectOf(await first.call(csr, read, '')), /CN = first$/m);
    assert.equal(first.signals('InterfacesAdded').length, 1);
    assert.equal(first.signals('InterfacesRemoved').length, 0);
  });

  it('leaves the CSR of a task that goes on as it is', async () => {
    const begun = await request('waits', ['Prefer: respond-async'], {
      KeyPairAlgorithm: 'TPM_ALG_RSA',
      KeyBitLength: 4096,
    });
    assert.equal(begun.status, 202, begun.text);
    const goOn = await holdWorker();
    try {
      await refuseEverybody();
    } finally {
      goOn();
    }
    const monitor = `${stack.url}${begun.headers.location}`;
    const isMade = async () => {
      const answer = await curl(monitor, { token });
      return answer.status === 200 && answer.json.CSRString;
    };
    const made = await until('the task has its CSR', isMade);
    const shown = () => callers[0]?.call(csr, read, '').catch(() => undefined);
    assert.equal(await until('the CSR is shown', shown), made);
  });
});
