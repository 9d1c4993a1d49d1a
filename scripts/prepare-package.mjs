// Makes root directories of Debian 12 and 13 for the tests of the Debian package: test/device/ starts them in containers. Only root
// may; it takes half a minute.
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
import { join } from 'node:path';
import { fail, installFromDebian, missingPrograms, root, run } from './prepare.mjs';

const cache = join(root, '.cache');
/** What the package depends on, and what the tests run on the device. */
const packages = ['dbus', 'systemd', 'curl', 'openssl'];
const releases = {
  // Its own Node is too old; the tests install another one
  'debian-12': { codename: 'bookworm', packages },
  'debian-13': { codename: 'trixie', packages: [...packages, 'nodejs'] },
};

for (const [name, release] of Object.entries(releases)) prepareOnce(name, release);

function prepareOnce(name, release) {
  const stamp = join(cache, `${name}.packages`);
  const wanted = release.packages.join(' ');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  if (missingPrograms(['mmdebstrap']).length > 0) installFromDebian(['mmdebstrap']);
  const scratch = mkdtempSync(join(tmpdir(), 'bmc-debian-'));
  makeTree(join(cache, name), release, scratch);
  rmSync(scratch, { recursive: true });
  writeFileSync(stamp, wanted);
}

function makeTree(tree, { codename, packages }, scratch) {
  const settings = join(scratch, 'apt.conf');
  writeFileSync(settings, spawnSync('apt-config', ['dump', 'Acquire']).stdout);
  const sources = sourcesOf(codename, scratch);
  if (sources.length === 0) fail('This machine has no sources of Debian in /etc/apt.');
  const made = `${tree}.new`;
  for (const old of [tree, made]) rmSync(old, { recursive: true, force: true });
  mkdirSync(cache, { recursive: true });
  const options = ['--quiet', '--variant=apt', `--include=${packages.join(',')}`];
  const args = [...options, `--aptopt=${settings}`, codename, made, ...sources];
  if (run('mmdebstrap', args) !== 0) fail(`mmdebstrap could not make a Debian ${codename}.`);
  renameSync(made, tree);
}

/** The mirrors of this machine have the other releases, too. */
function sourcesOf(codename, scratch) {
  const own = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  const places = ['/etc/apt/sources.list', '/etc/apt/sources.list.d/debian.sources'];
  return places.filter(existsSync).map((place, at) => {
    const file = join(scratch, place.endsWith('.sources') ? `${at}.sources` : `${at}.list`);
    writeFileSync(file, readFileSync(place, 'utf8').replaceAll(own, codename));
    return file;
  });
}
