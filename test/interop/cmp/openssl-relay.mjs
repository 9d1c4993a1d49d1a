// Runs the mock server of `openssl cmp`, which listens at all addresses, in the network namespace that this program was
// started in, and carries messages to it over one connection: the server forgets a transaction with its connection.
// Each line of standard input is a JSON document, {"start": ARGUMENTS} or {"message": BASE64}, and has one line of answer.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const port = 8080;
let server;
let agent;

const lines = createInterface(process.stdin);
for await (const line of lines) {
  const { start, message } = JSON.parse(line);
  const answer = start ? await startServer(start) : await post(Buffer.from(message, 'base64'));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
server?.kill('SIGKILL');

async function startServer(args) {
  await stopServer();
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
  server = spawn('openssl', ['cmp', '-config', '', '-port', `${port}`, ...args]);
  let complaints = '';
  server.stderr.on('data', (chunk) => {
    complaints += chunk;
  });
  while (server.exitCode === null && !isListening()) await sleep(20);
  return { isRunning: server.exitCode === null, complaints };
}

async function stopServer() {
  agent?.destroy();
  if (!server || server.exitCode !== null) return;
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGKILL');
  await ended;
}

// The server takes one connection at a time, so a connection that only looks would be taken for the client's
function isListening() {
  const state = /^ *\d+: [0-9A-F]+:1F90 [0-9A-F:]+ 0A /m;
  return ['/proc/net/tcp', '/proc/net/tcp6'].some((path) => state.test(readFileSync(path, 'utf8')));
}

function post(message) {
  return new Promise((resolve) => {
    const headers = { 'Content-Type': 'application/pkixcmp', 'Content-Length': message.length };
    const asked = request(
      { host: '127.0.0.1', port, method: 'POST', agent, headers },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () => resolve({ answer: Buffer.concat(chunks).toString('base64') }));
      },
    );
    asked.on('error', (error) => resolve({ error: error.message }));
    asked.end(message);
  });
}
