import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Device } from './device.ts';

const clone = fileURLToPath(new URL('../..', import.meta.url));
export const configuration = '/etc/bmc-certificate-manager/configuration.json';

export const password = 'Opensesame-12';

/**
 * Installs the service as docs/operations.md says, by the very commands that stand there.
 * @throws when one of them fails
 */
export async function install(device: Device): Promise<void> {
  mkdirSync(join(device.root, 'src'));
  for (const folder of ['dist', 'systemd', 'helpers']) {
    cpSync(join(clone, folder), join(device.root, 'src', folder), { recursive: true });
  }
  writeFileSync(join(device.root, 'src', 'FILE'), password, { mode: 0o644 });
  await device.must('sh', '-e', '-c', `cd /src\n${documented('Install on a device')}`);
}

/** The commands of a section of docs/operations.md, but for the build, which has been done. */
export function documented(section: string): string {
  const page = readFileSync(join(clone, 'docs', 'operations.md'), 'utf8');
  const text = page.split(/^##+ /m).find((part) => part.startsWith(`${section}\n`)) ?? '';
  const lines = text.split('\n').filter((line) => line.startsWith('    '));
  return lines.filter((line) => !line.includes('npm run build')).join('\n');
}

/** Asks the Redfish service from within; status 0 stands for no connection. */
export async function ask(device: Device, path: string, ...options: string[]): Promise<Answer> {
  const who = ['--user', `admin:${password}`, '--silent', '--insecure', '--max-time', '20'];
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
