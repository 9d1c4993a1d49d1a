// Puts a fresh clone into a state in which it can be built and run. Uses Node built-ins only.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Otherwise Node would open its debugger; see src/platform/debug-signal.ts, which is not built yet
process.on('SIGUSR1', () => undefined);

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Programs with the Debian packages that have them, and what else is used along with them. */
const packages = {
  'dbus-daemon': ['dbus'],
  openssl: ['openssl'],
  busctl: ['systemd'],
  gdbus: ['libglib2.0-bin'],
  curl: ['curl'],
  jq: ['jq'],
  nginx: ['nginx-light'],
  slapd: ['slapd'],
  ldapwhoami: ['ldap-utils'],
  certtool: ['gnutls-bin'],
  'gnutls-cli': ['gnutls-bin'],
  pk12util: ['libnss3-tools'],
  faketime: ['faketime'],
  chromium: ['chromium'],
  mandoc: ['mandoc'],
  groff: ['groff'],
  shellcheck: ['shellcheck'],
  yanglint: [isDebian12() ? 'libyang2-tools' : 'libyang3-tools'],
  lintian: ['lintian'],
  'dpkg-deb': ['dpkg'],
  zsh: ['zsh'],
  // A systemd and a bus of its own, as on a device
  'systemd-nspawn': ['systemd-container'],
  mmdebstrap: ['mmdebstrap'],
  cc: ['gcc', 'libc6-dev', 'libpam0g-dev'],
  javac: ['default-jdk-headless', 'libbcpkix-java'],
};

/** What a compiler alone does not bring along. */
const headers = {
  cc: ['/usr/include/stdio.h', '/usr/include/security/pam_appl.h'],
  javac: ['/usr/share/java/bcpkix.jar'],
};

export const neededToRun = ['dbus-daemon', 'openssl'];
export const testPrograms = Object.keys(packages);

/** Installs npm packages, and the Debian packages of programs that are missing. */
export function prepare(programs) {
  requireNode();
  const missing = missingPrograms(programs);
  if (missing.length > 0)
    installFromDebian(
      missing.flatMap((one) => packages[one]),
      missing,
    );
  installNpmPackages();
}

/**
 * As `prepare`, but for a user who may install no Debian packages.
 * @returns the programs that are missing
 */
export function prepareAsFarAsPossible(programs) {
  if (mayInstall()) {
    prepare(programs);
    return [];
  }
  prepare([]);
  return missingPrograms(programs);
}

export function missingPrograms(programs) {
  const isThere = (one) => isInstalled(one) && (headers[one] ?? []).every(existsSync);
  return programs.filter((program) => !isThere(program));
}

/** The command that installs them. */
export function installCommand(programs) {
  return `apt-get install ${[...new Set(programs.flatMap((one) => packages[one]))].join(' ')}`;
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

/** Installs Debian packages, or says what is missing when this user may not. */
export function installFromDebian(names, missing = names) {
  const distinct = [...new Set(names)];
  if (!mayInstall())
    fail(`Missing: ${missing.join(', ')}. Install with: apt-get install ${distinct.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  process.stderr.write(`Installing ${distinct.join(', ')} with apt-get …\n`);
  run('apt-get', ['update', '-qq'], { env });
  if (run('apt-get', ['install', '-y', '--no-install-recommends', ...distinct], { env }) !== 0) {
    fail(`apt-get could not install ${distinct.join(' ')}.`);
  }
}

function isDebian12() {
  const release = '/etc/os-release';
  return existsSync(release) && /^VERSION_ID="12"$/m.test(readFileSync(release, 'utf8'));
}

function mayInstall() {
  return process.getuid?.() === 0 && isInstalled('apt-get');
}

function isInstalled(program) {
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
  process.stderr.write('Installing the npm packages of package-lock.json in node_modules/ …\n');
  if (run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund']) !== 0) {
    fail('npm could not install the packages of package-lock.json.');
  }
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
