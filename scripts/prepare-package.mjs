// Makes the root directory of a Debian 13 for the tests of the Debian package: test/device/ starts it in a container. Only root
// may; a minute on a machine with a mirror near by.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fail, installFromDebian, missingPrograms, root, run } from './prepare.mjs';

const release = 'trixie';
const tree = join(root, '.cache', 'debian-13');
/** What the package depends on, and what the tests run on the device. */
const packages = ['nodejs', 'dbus', 'systemd', 'curl', 'openssl'];

/** The mirrors of this machine have the other release, too. */
function sourcesOfRelease(directory) {
  const own = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  const places = ['/etc/apt/sources.list', '/etc/apt/sources.list.d/debian.sources'];
  return places.filter(existsSync).map((place, at) => {
    const file = join(directory, place.endsWith('.sources') ? `${at}.sources` : `${at}.list`);
    writeFileSync(file, readFileSync(place, 'utf8').replaceAll(own, release));
    return file;
  });
}

function makeTree(directory) {
  const settings = join(directory, 'apt.conf');
  writeFileSync(settings, spawnSync('apt-config', ['dump', 'Acquire']).stdout);
  const sources = sourcesOfRelease(directory);
  if (sources.length === 0) fail('This machine has no sources of Debian in /etc/apt.');
  const made = `${tree}.new`;
  rmSync(made, { recursive: true, force: true });
  mkdirSync(dirname(tree), { recursive: true });
  const options = ['--quiet', '--variant=apt', `--include=${packages.join(',')}`];
  const args = [...options, `--aptopt=${settings}`, release, made, ...sources];
  if (run('mmdebstrap', args) !== 0) fail('mmdebstrap could not make a Debian 13.');
  renameSync(made, tree);
}

if (!existsSync(tree)) {
  if (missingPrograms(['mmdebstrap']).length > 0) installFromDebian(['mmdebstrap']);
  const directory = mkdtempSync(join(tmpdir(), 'bmc-debian-'));
  makeTree(directory);
  rmSync(directory, { recursive: true });
}
