import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CommandBlock, toOutputs, toScript } from '../../scripts/command-blocks.ts';
import { makeDebianPackage } from '../../scripts/package/debian-package.ts';
import { releaseOf } from '../../scripts/package/release.ts';
import { documented } from '../how-to/blocks.ts';
import type { Device } from './device.ts';

const clone = fileURLToPath(new URL('../..', import.meta.url));
export const configuration = '/etc/bmc-certificate-manager/configuration.json';

export const password = 'Opensesame-12';

/** Where the package is on a device. */
export const releaseDirectory = '/src/release';

/**
 * Installs the package as docs/how-to/install.md says, by the very commands that stand there.
 * @throws what they printed, when one of them fails
 */
export async function install(device: Device): Promise<void> {
  for (const folder of ['systemd', 'helpers'])
    cpSync(join(clone, folder), join(device.root, 'src', folder), { recursive: true });
  putPackage(device.root);
  const headings = ['Install the package', 'Set the first password', 'See that it runs'];
  const blocks = headings.flatMap((heading) => documented('install', heading));
  await runBlocks(device, releaseDirectory, blocks, password);
}

/**
 * @param root of the file system of a device
 * @param version another one than that of package.json; it takes the place of what was there
 */
export function putPackage(root: string, version?: string): void {
  const directory = join(root, releaseDirectory);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  makeDebianPackage(clone, releaseOf(clone, process.env, version), directory);
}

/**
 * Runs commands as root, one block after the other in one shell.
 * @param typed what the operator types, line by line
 * @returns what each block printed
 * @throws what they printed, when one of them fails
 */
export async function runBlocks(
  device: Device,
  directory: string,
  blocks: readonly CommandBlock[],
  typed: string,
): Promise<string[]> {
  writeFileSync(join(device.root, 'commands'), toScript(blocks), { mode: 0o600 });
  writeFileSync(join(device.root, 'typed'), `${typed}\n`, { mode: 0o600 });
  const command = `cd ${directory} && exec bash /commands </typed`;
  const { status, stdout } = await device.run('bash', '-c', command);
  const outputs = toOutputs(stdout);
  if (status === 0) return outputs;
  const failed = blocks[outputs.length - 1];
  throw new Error(`ended with ${status} in ${failed?.heading}\n${failed?.text}\n${outputs.at(-1)}`);
}

/** Asks the Redfish service from within; status 0 stands for no connection. */
export async function ask(device: Device, path: string, ...options: string[]): Promise<Answer> {
  const who = ['--user', `admin:${password}`, '--silent', '--insecure', '--max-time', '300'];
  const form = ['--header', 'Content-Type: application/json', '--write-out', '\n%{http_code}'];
  const target = `https://127.0.0.1${path}`;
  const { stdout: text } = await device.run('curl', ...who, ...form, ...options, target);
  const at = text.lastIndexOf('\n');
  return { status: Number(text.slice(at)), text: text.slice(0, at) };
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}
