// How long the manager, the Redfish service and the worker of a CSR take to start, and what they then have in memory, beside a
// bare Node that does the least of the same, with the flags of the units and alternating with it:
//     npm run bench:start -- [--rounds N]
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { planRequest } from '../../src/manager/csr/plan.ts';
import { startAccountManager } from '../fakes/account-manager.ts';
import { startManager, writeConfiguration } from '../fakes/manager-process.ts';
import { csrParameters } from '../fakes/manager-world.ts';
import { startPrivateBus } from '../fakes/private-bus.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '10' } } });
const clone = fileURLToPath(new URL('../..', import.meta.url));
/** Until what the start left over is collected. */
const restMilliseconds = 5000;
/** As in the units; the log is not part of a start. */
const env = { ...process.env, MALLOC_MMAP_THRESHOLD_: '131072', LOG_LEVEL: 'error' };

interface Contestant {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  readonly flags: readonly string[];
  /** What it is sent to answer. */
  readonly job?: () => object;
}

/** What a start took until its answer, and memory of its own at rest. */
interface Start {
  readonly milliseconds: number;
  readonly processorMilliseconds: number;
  readonly megabytes: number;
}

/** @param unit whose flags of Node it is started with */
function program(name: string, unit: string, args: readonly string[]): Contestant {
  const started = readFileSync(join(clone, 'systemd', `${unit}.service`), 'utf8');
  const line = /^ExecStart=\/usr\/bin\/node (.*) \/usr\/lib\S+\.js/m.exec(started)?.[1] ?? '';
  return { name, script: join(clone, 'dist', `${name}.js`), args, flags: line.split(' ') };
}

async function startOnce({ script, args, flags, job }: Contestant): Promise<Start> {
  const began = performance.now();
  const child = fork(script, args, {
    execArgv: [...flags],
    stdio: ['ignore', 'ignore', 2, 'ipc'],
    env,
  });
  try {
    if (job) child.send(job());
    const port = await readyPort(child);
    if (port !== undefined) await firstAnswer(port);
    const milliseconds = performance.now() - began;
    const processorMilliseconds = processorTimeOf(child.pid ?? 0);
    await pause(restMilliseconds);
    return { milliseconds, processorMilliseconds, megabytes: ownMegabytes(child.pid ?? 0) };
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.disconnect();
    await ended;
  }
}

function readyPort(child: ChildProcess): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    child.once('message', (message: { ready?: { port?: number }; publicKeyHash?: string }) => {
      if (message.ready || message.publicKeyHash) resolve(message.ready?.port);
      else reject(new Error(JSON.stringify(message)));
    });
    child.once('exit', (status) => reject(new Error(`it ended with ${status}`)));
  });
}

function firstAnswer(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const url = `https://127.0.0.1:${port}/redfish/v1`;
    const asked = get(url, { agent: false, rejectUnauthorized: false }, (answer) => {
      answer.resume().once('end', () => resolve());
    });
    asked.once('error', reject);
  });
}

/** User and system time of all threads: what else the machine does counts little in it. */
function processorTimeOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((a, b) => a + b, 0) / 1e6;
}

/** proc(5): pages that no other process shares. */
function ownMegabytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const pages = [...text.matchAll(/^Private_\w+:\s+(\d+) kB/gm)];
  return pages.reduce((sum, [, kilobytes]) => sum + Number(kilobytes), 0) / 1024;
}

/** Median, and the range in which the middle half lies. */
function described(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.round((sorted.length - 1) * part)] ?? 0;
  return `${at(0.5).toFixed(2)} (${at(0.25).toFixed(2)} to ${at(0.75).toFixed(2)})`;
}

async function compare(ours: Contestant, bare: Contestant): Promise<void> {
  const pairs: (readonly [Start, Start])[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    pairs.push([await startOnce(ours), await startOnce(bare)]);
  }
  for (const figure of ['milliseconds', 'processorMilliseconds', 'megabytes'] as const) {
    const cells = [
      described(pairs.map(([one]) => one[figure])),
      described(pairs.map(([, other]) => other[figure])),
      described(pairs.map(([one, other]) => one[figure] / other[figure])),
    ];
    console.log(`| ${ours.name} | ${figure} | ${cells.join(' | ')} |`);
  }
}

const bus = await startPrivateBus();
const redfish = { redfish: { address: '127.0.0.1', port: 0, directory: 'redfish' } };
const configuration = writeConfiguration(bus, redfish);
const args = ['--config', configuration];
const manager = program('certificate-manager', 'bmc-certificate-manager', args);
const service = program('redfish-server', 'bmc-redfish', args);
const bare = (name: string, ...args: readonly string[]): Contestant => {
  return { name, script: join(clone, 'test/bench/bare', name), args, flags: manager.flags };
};
console.log(`Node ${process.versions.node}, ${values.rounds} rounds: median (middle half)`);
console.log('| program | figure | ours | bare Node | ratio |\n| --- | --- | --- | --- | --- |');
try {
  await compare(manager, bare('bus-name.mjs', join(bus.directory, 'bus'), 'bench.Bare'));
  const running = await startManager(bus, redfish);
  const accounts = await startAccountManager(configuration);
  await compare(service, bare('https.mjs', join(bus.directory, 'https/server.pem')));
  await accounts.stop();
  await running.stop();
  const plan = planRequest(csrParameters({ CommonName: 'bmc', KeyPairAlgorithm: 'EC' }), 'server');
  const job = () => ({ directory: mkdtempSync(join(bus.directory, 'job-')), plan });
  const worker = { name: 'csr-worker', script: join(clone, 'dist/csr-worker.js'), args: [], job };
  const idle = { ...bare('answer.mjs'), job };
  await compare({ ...worker, flags: manager.flags }, idle);
} finally {
  await bus.stop();
}
