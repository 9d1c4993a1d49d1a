import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun } from '../../scripts/package/staging.ts';
import { clone } from '../e2e/stack.ts';
import { type Device, runSwitchedOff, startDevice } from './device.ts';

/**
 * A device with a Debian that has systemd and D-Bus, and little else.
 * @param prepare changes its file system before it is switched on
 * @throws when that Debian was not made
 */
export function startDebian(
  release: 12 | 13,
  prepare: (root: string) => void = () => undefined,
): Promise<Device> {
  const tree = join(clone, `.cache/debian-${release}`);
  if (!existsSync(tree))
    throw new Error(`There is no ${tree}: node scripts/prepare-package.mjs makes it.`);
  return startDevice(tree, (root) => {
    if (release === 12) installOperatorsNode(root);
    prepare(root);
  });
}

/** The Node that runs this test as a package `nodejs`, as an operator has one for a Debian whose own is too old. */
function installOperatorsNode(root: string): void {
  const tree = join(root, 'operators-node');
  for (const folder of ['DEBIAN', 'usr/bin']) mkdirSync(join(tree, folder), { recursive: true });
  copyFileSync(process.execPath, join(tree, 'usr/bin/node'));
  chmodSync(join(tree, 'usr/bin/node'), 0o755);
  const fields = [
    'Package: nodejs',
    `Version: ${process.versions.node}`,
    'Architecture: all',
    'Maintainer: Operator <operator@example.com>',
    'Depends: libstdc++6',
    'Description: Node of the operator',
  ];
  writeFileSync(join(tree, 'DEBIAN/control'), `${fields.join('\n')}\n`);
  const made = '/operators-node.deb';
  mustRun('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, join(root, made)]);
  rmSync(tree, { recursive: true });
  runSwitchedOff(root, 'dpkg', '--install', made);
  rmSync(join(root, made));
}
