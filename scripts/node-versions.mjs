// Runs `npm test` on the other versions of Node that are supported.
import { existsSync } from 'node:fs';
import { arch } from 'node:os';
import { delimiter, join } from 'node:path';
import { fail, root, run } from './prepare.mjs';

/** 20 for Debian 13, which maintains 20.19 itself; 22; 24 for OpenBMC. */
const versions = ['20.20.2', '22.23.5', '24.22.3'];
for (const version of versions.filter((one) => majorOf(one) !== majorOf(process.versions.node))) {
  const directory = install(version);
  const env = { ...process.env, PATH: `${directory}${delimiter}${process.env.PATH}` };
  process.stdout.write(`\nNode ${version}\n`);
  if (run('npm', ['test'], { env, stdio: ['ignore', 'inherit', 'inherit'] }) !== 0) {
    fail(`Not everything passes on Node ${version}.`);
  }
}

function majorOf(version) {
  return version.split('.')[0];
}

/** @returns the directory with the program */
function install(version) {
  const name = `node-linux-${arch()}`;
  const prefix = join(root, '.node', version);
  const directory = join(prefix, 'node_modules', name, 'bin');
  if (existsSync(join(directory, 'node'))) return directory;
  const options = ['--no-save', '--no-audit', '--no-fund', '--prefix', prefix];
  if (run('npm', ['install', ...options, `${name}@${version}`]) !== 0) {
    fail(`npm could not install ${name}@${version}.`);
  }
  return directory;
}
