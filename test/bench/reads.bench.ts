// How many reads a second the service answers, against a bare server of Node that sends the same bytes, by turns in one run:
//     npm run bench:reads [-- --rounds N]
// wrk makes the load. Ratios tell something on a busy machine; the figures themselves only on a quiet one.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { must } from '../e2e/commands.ts';
import { curl, logIn } from '../e2e/redfish-client.ts';
import { removeDirectory, startStack, temporaryDirectory } from '../e2e/stack.ts';
import { quickAuthorities } from '../interop/quick-authorities.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const rounds = Number(values.rounds);
const truststore = '/redfish/v1/Managers/bmc/Truststore/Certificates';
const reads = {
  'a certificate': '/redfish/v1/Managers/bmc/NetworkProtocol/HTTPS/Certificates/1',
  CertificateLocations: '/redfish/v1/CertificateService/CertificateLocations',
  ServiceRoot: '/redfish/v1',
} as const;

interface Load {
  readonly perSecond: number;
  /** Of the slowest in a hundred, in milliseconds. */
  readonly p99: number;
}

async function load(url: string, connections: number, headers: readonly string[]): Promise<Load> {
  const report = join(state, 'wrk.lua');
  const threads = String(Math.min(2, connections));
  const args = ['-t', threads, '-c', String(connections), '-d', '2s', '-s', report];
  const text = await must('wrk', [...args, ...headers.flatMap((one) => ['-H', one]), url]);
  const [, requests = '0', microseconds = '1', p99 = '0', failures = '0'] =
    /^result (\d+) (\d+) (\d+) (\d+)$/m.exec(text) ?? [];
  if (failures !== '0') throw new Error(`${failures} answers of ${url} are none: ${text}`);
  return { perSecond: (Number(requests) * 1e6) / Number(microseconds), p99: Number(p99) / 1000 };
}

const report = `done = function(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("result %d %d %d %d\\n", summary.requests, summary.duration, latency:percentile(99), failed))
end
`;

/** Answers everything with the bytes of a file. */
const bare = `
const { createServer } = require('node:https');
const { readFileSync } = require('node:fs');
const pem = readFileSync(process.argv[1]);
const body = readFileSync(process.argv[2]);
const server = createServer({ key: pem, cert: pem }, (req, res) => {
  res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length }).end(body);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

async function startBare(file: string): Promise<{ readonly url: string; stop(): void }> {
  const args = ['--max-semi-space-size=1', '-e', bare, join(state, 'https/server.pem'), file];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = await new Promise((resolve) => child.stdout.once('data', resolve));
  return { url: `https://127.0.0.1:${String(port).trim()}`, stop: () => void child.kill() };
}

/** Of an even number of values the lower of the two in the middle. */
const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[(values.length - 1) >> 1] ?? 0;

const state = temporaryDirectory();
const stack = await startStack(state);
writeFileSync(join(state, 'wrk.lua'), report);
try {
  const token = await logIn(stack.url, stack.password);
  const headers = [`X-Auth-Token: ${token}`];
  // As on a device in use: a certificate of the truststore is one more that could be the issuer
  for (const { pem } of quickAuthorities(1)) {
    await curl(`${stack.url}${truststore}`, {
      token,
      body: { CertificateType: 'PEM', CertificateString: pem },
    });
  }
  for (const [what, path] of Object.entries(reads)) {
    const body = join(state, 'body');
    const { text, headers: answered } = await curl(`${stack.url}${path}`, { token });
    writeFileSync(body, text);
    const etag = answered.etag ?? '';
    const node = await startBare(body);
    for (const connections of [1, 8, 32]) {
      const ours: Load[] = [];
      const known: Load[] = [];
      const theirs: Load[] = [];
      for (let round = 0; round < rounds; round += 1) {
        theirs.push(await load(node.url, connections, []));
        ours.push(await load(`${stack.url}${path}`, connections, headers));
        known.push(
          await load(`${stack.url}${path}`, connections, [...headers, `If-None-Match: ${etag}`]),
        );
      }
      const row = (kind: string, loads: readonly Load[]) => {
        const ratios = loads.map(({ perSecond }, at) => perSecond / (theirs[at]?.perSecond ?? 1));
        const perSecond = Math.round(median(loads.map((one) => one.perSecond)));
        const p99 = median(loads.map((one) => one.p99)).toFixed(1);
        const spread = [Math.min(...ratios), Math.max(...ratios)].map((one) => one.toFixed(2));
        console.log(
          `${what}, c = ${connections}, ${kind}: ${perSecond}/s, ${median(ratios).toFixed(2)} (${spread.join(' to ')}) of bare Node, p99 ${p99} ms`,
        );
      };
      row('bare Node', theirs);
      row('service', ours);
      row('service, If-None-Match', known);
    }
    node.stop();
  }
} finally {
  await stack.stop();
  removeDirectory(state);
}
