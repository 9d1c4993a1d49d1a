// Puts a fresh clone into a state in which it can be built and run. Uses Node built-ins only.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Otherwise Node would open its debugger; see src/platform/debug-signal.ts, which is not built yet
process.on('SIGUSR1', () => undefined);

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Programs, and files by their paths, with the Debian packages that have them. */
const packages = {
  'dbus-daemon': 'dbus',
  openssl: 'openssl',
  busctl: 'systemd',
  gdbus: 'libglib2.0-bin',
  curl: 'curl',
  nginx: 'nginx-light',
  slapd: 'slapd',
  ldapwhoami: 'ldap-utils',
  certtool: 'gnutls-bin',
  'gnutls-cli': 'gnutls-bin',
  faketime: 'faketime',
  chromium: 'chromium',
  // A systemd and a bus of its own, as on a device
  'systemd-nspawn': 'systemd-container',
  cc: 'gcc',
  '/usr/include/stdio.h': 'libc6-dev',
  '/usr/include/security/pam_appl.h': 'libpam0g-dev',
};

export const neededToRun = ['dbus-daemon', 'openssl'];
export const neededToTest = Object.keys(packages);

/** Installs npm packages, and those Debian packages whose programs are missing. */
export function prepare(programs) {
  requireNode();
  installDebianPackages(programs);
  installNpmPackages();
}

export function run(command, args, options = {}) {
  // Standard output belongs to the program that is started in the end
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 2, 2],
    ...options,
  });
  if (error) fail(`${command} cannot be run: ${error.message}`);
  return status;
}

export function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`Node 20.19 or later is needed; this is ${process.versions.node}.`);
  }
}

function installDebianPackages(programs) {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length === 0) return;
  installFromDebian([...new Set(missing.map((program) => packages[program]))], missing);
}

/** Installs Debian packages, or says what is missing when this user may not. */
export function installFromDebian(names, missing = names) {
  if (process.getuid?.() !== 0 || !isInstalled('apt-get')) {
    fail(`Missing: ${missing.join(', ')}. Install with: apt-get install ${names.join(' ')}`);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  run('apt-get', ['update', '-qq'], { env });
  if (run('apt-get', ['install', '-y', '--no-install-recommends', ...names], { env }) !== 0) {
    fail(`apt-get could not install ${names.join(' ')}.`);
  }
}

function isInstalled(program) {
  if (program.startsWith('/')) return existsSync(program);
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return directories.some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function installNpmPackages() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (modified(installed) >= modified(join(root, 'package-lock.json'))) return;
  if (run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund']) !== 0) {
    fail('npm could not install the packages of package-lock.json.');
  }
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
