// Puts DMTF's validators and clients, which are Python programs, into .venv at the versions of the requirements.
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail, installFromDebian, root, run } from './prepare.mjs';

const requirements = join(root, 'test', 'validators', 'requirements.txt');
const environment = join(root, '.venv');
const stamp = join(environment, '.installed');

/** Makes the environment when there is none or when the requirements have changed. */
export function prepareValidators() {
  const wanted = readFileSync(requirements, 'utf8');
  if (readInstalled() === wanted) return;
  if (!hasPython()) installFromDebian(['python3', 'python3-venv']);
  // What an interrupted installation left is not to be trusted
  rmSync(environment, { recursive: true, force: true });
  if (run('python3', ['-m', 'venv', environment]) !== 0) fail('python3 could not make .venv.');
  const pip = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '-r',
    requirements,
  ];
  if (run(join(environment, 'bin', 'python'), pip) !== 0) {
    fail('pip could not install the packages of test/validators/requirements.txt.');
  }
  writeFileSync(stamp, wanted);
}

function hasPython() {
  // Debian's python3 comes without ensurepip
  return spawnSync('python3', ['-c', 'import ensurepip, venv']).status === 0;
}

function readInstalled() {
  try {
    return readFileSync(stamp, 'utf8');
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) prepareValidators();
