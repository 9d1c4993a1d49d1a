// npm run record: runs docs/how-to/walk-through.md against a stack of its own, and writes the session to docs/.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type CommandBlock, commandBlocks, toOutputs, toScript } from './command-blocks.ts';
import { type Step, toAsciicast, toSvg } from './terminal-session.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The blocks of the walk-through, but for the installation of what it needs. */
export function walkThrough(): CommandBlock[] {
  const page = readFileSync(join(root, 'docs', 'how-to', 'walk-through.md'), 'utf8');
  return commandBlocks(page).filter(({ heading }) => heading !== 'What it needs');
}

async function record(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'walk-through-'));
  const passwordFile = join(directory, 'password');
  const password = 'correct-horse-battery';
  writeFileSync(passwordFile, password, { mode: 0o600 });
  const args = [
    'start',
    '--',
    '--state-dir',
    join(directory, 'var'),
    '--password-file',
    passwordFile,
  ];
  const stack = spawn('npm', args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(stack, 'exit').then(([status]) => {
    throw new Error(`The stack ended with ${status}.`);
  });
  try {
    const lines = createInterface({ input: stack.stdout });
    await Promise.race([ended, waitForReadyLine(lines)]);
    const steps = await play(walkThrough(), directory, password);
    writeFileSync(join(root, 'docs', 'walk-through.cast'), toAsciicast(steps));
    writeFileSync(join(root, 'docs', 'walk-through.svg'), toSvg(steps));
  } finally {
    stack.kill('SIGTERM');
    await ended.catch(() => undefined);
    rmSync(directory, { recursive: true, force: true });
  }
}

async function waitForReadyLine(lines: AsyncIterable<string>): Promise<void> {
  for await (const line of lines) if (line.startsWith('ready ')) return;
}

/** @throws what the commands printed, when one of them fails */
async function play(blocks: readonly CommandBlock[], cwd: string, input: string): Promise<Step[]> {
  const shell = spawn('bash', ['-c', toScript(blocks)], {
    cwd,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  shell.stdin.end(`${input}\n`);
  let printed = '';
  shell.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  const [status] = await once(shell, 'close');
  if (status !== 0) throw new Error(`The walk-through ended with ${status}:\n${printed}`);
  const outputs = toOutputs(printed);
  return blocks.map(({ text }, at) => ({ commands: text, output: outputs[at] ?? '' }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await record();
