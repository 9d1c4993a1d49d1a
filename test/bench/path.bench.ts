// How many functions and files of src/ a request passes in the programs of the device, and how many calls it makes of
// them, from the connection of its client to the answer:
//     npm run bench:path [-- --list]
// All programs run in this process, where V8 counts. The worker that makes the key of a CSR is another process.
import childProcess from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { syncBuiltinESMExports } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { basename, join } from 'node:path';
import { setPassword } from '../../src/operator/set-password.ts';
import { readConfiguration } from '../../src/platform/configuration.ts';
import { curl, type HttpAnswer, logIn } from '../e2e/redfish-client.ts';
import { clone } from '../e2e/stack.ts';
import { startPrivateBus } from '../fakes/private-bus.ts';
import { quickAuthorities } from '../interop/quick-authorities.ts';

const service = '/redfish/v1/CertificateService';
const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
const https = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates';
const source = new URL('../../src/', import.meta.url).href;
const password = 'correct-horse-battery';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const bus = await startPrivateBus();
const port = await freePort();
const url = `https://127.0.0.1:${port}`;
const configuration = join(bus.directory, 'configuration.json');
const at = (name: string) => join(bus.directory, name);
writeFileSync(
  configuration,
  JSON.stringify({
    bus: bus.address,
    stateDirectory: at('state'),
    runtimeDirectory: at('run'),
    endpoints: [
      { type: 'server', name: 'https', path: at('https/server.pem'), reload: [] },
      { type: 'authority', name: 'truststore', path: at('authority'), reload: [] },
    ],
    redfish: { address: '127.0.0.1', port, directory: '.' },
  }),
);
// The worker is there as it is built alone
const { fork } = childProcess;
childProcess.fork = ((script: string, options: object) =>
  fork(join(clone, 'dist', basename(script)), [], options)) as typeof fork;
syncBuiltinESMExports();

const isListed = process.argv.includes('--list');
process.argv = [...process.argv.slice(0, 2), '--config', configuration];
await setPassword(readConfiguration(configuration), password);
await import('../../src/bin/account-manager.ts');
await import('../../src/bin/certificate-manager.ts');
await import('../../src/bin/redfish-server.ts');

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });

interface Called {
  readonly file: string;
  readonly name: string;
  readonly calls: number;
}

/** The functions of src/ that were called since it was asked last. */
async function calledFunctions(): Promise<readonly Called[]> {
  const { result } = await session.post('Profiler.takePreciseCoverage');
  return result
    .filter(({ url }) => url.startsWith(source))
    .flatMap(({ url, functions }) =>
      functions.map(({ functionName, ranges: [range] }) => ({
        file: url.slice(source.length),
        name: `${functionName}@${range?.startOffset}`,
        calls: range?.count ?? 0,
      })),
    )
    .filter(({ calls }) => calls > 0);
}

const token = await logIn(url, password);
const csr = { CertificateCollection: { '@odata.id': https }, CommonName: 'bmc.example' };
const authorities = quickAuthorities(2);
const requests: Record<string, (round: number) => Promise<HttpAnswer>> = {
  'POST of a CA': (round) =>
    curl(`${url}${truststore}`, {
      token,
      body: { CertificateType: 'PEM', CertificateString: authorities[round]?.pem },
    }),
  GenerateCSR: () =>
    curl(`${url}${service}/Actions/CertificateService.GenerateCSR`, { token, body: csr }),
  'GET of a certificate': () => curl(`${url}${https}/1`, { token }),
};

for (const [name, send] of Object.entries(requests)) {
  // Once before, for what is only done the first time
  await send(0);
  await calledFunctions();
  const { status, text } = await send(1);
  if (status >= 300) throw new Error(text);
  const called = await calledFunctions();
  const files = new Set(called.map(({ file }) => file));
  const calls = called.reduce((sum, one) => sum + one.calls, 0);
  console.log(`${name}: ${called.length} functions in ${files.size} files, ${calls} calls`);
  if (!isListed) continue;
  for (const one of called) console.log(`    ${one.file} ${one.name} ${one.calls}`);
}
await bus.stop();
process.exit(0);
