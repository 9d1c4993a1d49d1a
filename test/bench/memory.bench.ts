// What each program takes on this version of Node, started with the flags of the units: rows for docs/operations.md.
//     npm run bench:memory
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { makeAuthority } from '../e2e/certificate-authority.ts';
import { logIn } from '../e2e/redfish-client.ts';
import { clone, removeDirectory, startStack, temporaryDirectory } from '../e2e/stack.ts';
import { processesWith } from '../fakes/stack-process.ts';
import { type Footprint, footprintOf } from '../torture/soak/processes.ts';

const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
const https = '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates';
const generate = '/redfish/v1/CertificateService/Actions/CertificateService.GenerateCSR';
const programs = ['certificate-manager', 'account-manager', 'redfish-server'] as const;
/** They have no load of their own. */
const edges = ['cmp-agent', 'gnoi-server', 'netconf-server', 'bundle-updater'] as const;

/** A program of this clone, when it runs now. */
function footprintOfProgram(program: string): Footprint | undefined {
  const [running] = processesWith(join(clone, 'dist', `${program}.js`)).keys();
  try {
    return running === undefined ? undefined : footprintOf(running);
  } catch {
    // It has ended in the meantime
    return undefined;
  }
}

const state = temporaryDirectory();
const stack = await startStack(state, [
  ...['--with', 'cmp,gnoi,netconf,bundle'],
  ...['--gnoi-port', '0', '--netconf-port', '0'],
]);
const agent = new Agent({ keepAlive: true, maxSockets: 8, rejectUnauthorized: false });
const token = await logIn(stack.url, stack.password);

function ask(method: string, path: string, body: string | object = ''): Promise<number> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'application/x-pem-file' : 'application/json';
  const headers = { 'X-Auth-Token': token, 'Content-Type': type };
  return new Promise((resolve, reject) => {
    const asked = request(`${stack.url}${path}`, { method, agent, headers }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
    });
    asked.once('error', reject).end(text);
  });
}

const measure = () => programs.map(footprintOfProgram);
const csr = { CertificateCollection: { '@odata.id': https }, CommonName: 'bmc.example' };
let worker: Footprint | undefined;

async function makeCsr(): Promise<void> {
  let over = false;
  const asked = ask('POST', generate, { ...csr, KeyPairAlgorithm: 'RSA', KeyBitLength: 2048 });
  void asked.finally(() => {
    over = true;
  });
  while (!over) {
    const seen = footprintOfProgram('csr-worker');
    if (seen && seen.resident > (worker?.resident ?? 0)) worker = seen;
    await pause(5);
  }
  await asked;
}

try {
  const authority = await makeAuthority(state, 'Memory CA');
  for (const path of ['', https, truststore]) await ask('GET', path === '' ? '/redfish/v1' : path);
  const atRest = measure();
  const edgesAtRest = edges.map(footprintOfProgram);
  for (let round = 0; round < 100; round += 1) {
    const reads = Array.from({ length: 50 }, () => ask('GET', `${https}?$expand=.`));
    await Promise.all([...reads, ask('POST', truststore, authority.pem)]);
    await ask('DELETE', `${truststore}/${round + 1}`);
    await logIn(stack.url, stack.password);
    if (round % 10 === 0) await makeCsr();
  }
  const afterLoad = measure();
  const cells = (memory: Footprint | undefined) =>
    memory ? `${memory.resident.toFixed(0)} MB | ${memory.own.toFixed(0)} MB` : '? | ?';
  const rows = programs.map((program, at) => {
    return `| ${program} | ${cells(atRest[at])} | ${cells(afterLoad[at])} |`;
  });
  const further = [...edges, 'csr-worker'].map((program, at) => {
    return `| ${program} | ${cells(program === 'csr-worker' ? worker : edgesAtRest[at])} | | |`;
  });
  const lines = [`Node ${process.versions.node}`, ...rows, ...further];
  process.stdout.write(`${lines.join('\n')}\n`);
} finally {
  agent.destroy();
  await stack.stop();
  removeDirectory(state);
}
