// Unpacks promtool and node_exporter for the tests of the metrics. They are not installed: Debian's packages start
// services that listen to the network.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail, root, run } from './prepare.mjs';

/** The package of each program. */
const packages = {
  promtool: 'prometheus',
  'prometheus-node-exporter': 'prometheus-node-exporter',
};
const place = join(root, '.cache', 'prometheus');

const missing = Object.keys(packages).filter((program) => !existsSync(join(place, program)));
if (missing.length > 0) unpack(missing);

function unpack(programs) {
  if (process.getuid?.() === 0) run('apt-get', ['update', '-qq']);
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
  // Otherwise apt complains that its own user cannot write there
  const download = ['download', '-qq', '-o', 'APT::Sandbox::User=root'];
  const names = programs.map((program) => packages[program]);
  if (run('apt-get', [...download, ...names], { cwd: folder }) !== 0)
    fail(`apt-get could not download ${names.join(' ')}.`);
  for (const file of readdirSync(folder))
    if (run('dpkg', ['-x', file, '.'], { cwd: folder }) !== 0)
      fail(`dpkg could not unpack ${file}.`);
  mkdirSync(place, { recursive: true });
  for (const program of programs)
    copyFileSync(join(folder, 'usr', 'bin', program), join(place, program));
  rmSync(folder, { recursive: true });
}
