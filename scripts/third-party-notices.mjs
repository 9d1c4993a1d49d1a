// Licence texts of the packages that the bundles contain; each of these licences wants its text handed on.
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const licenceFile = /^(copying|licen[cs]e|notice|unlicen[cs]e)(?![a-z])/i;

/** Files of this repository with the licences of packages whose archive has no text of them, only their names. */
const textsHere = {
  saxes: ['scripts/licences/saxes-isc.txt'],
  '@bufbuild/protobuf': ['LICENSE', 'scripts/licences/protobuf-bsd-3-clause.txt'],
};

/** The YANG modules of the IETF, which are no package. */
const yangModules = 'schemas/generated/yang-modules.js';
const yangLicence = 'scripts/licences/ietf-code-components.txt';

/** An esbuild plugin that writes the notices of what is bundled to a file. */
export function thirdPartyNotices(root, file) {
  return {
    name: 'third-party-notices',
    setup(build) {
      build.initialOptions.metafile = true;
      build.onEnd(async ({ metafile }) => {
        // Without one the bundling itself failed, and has said so
        if (metafile) await writeFile(file, noticesOf(root, metafile));
      });
    },
  };
}

/** Folders of packages whose modules are in an output, relative to the working directory of esbuild. */
export function bundledPackages({ outputs }) {
  const modules = bundledModules(outputs);
  const folders = modules.map((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

function bundledModules(outputs) {
  return Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs));
}

function noticesOf(root, metafile) {
  const head =
    'The programs of bmc-certificate-manager contain the packages below, each under its licence.\n';
  const packages = bundledPackages(metafile).map((folder) => noticeOf(root, join(root, folder)));
  const hasYang = bundledModules(metafile.outputs).includes(yangModules);
  const yang = hasYang ? [readFileSync(join(root, yangLicence), 'utf8')] : [];
  return [head, ...packages, ...yang].join(`\n${'='.repeat(80)}\n`);
}

function noticeOf(root, folder) {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const own = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && licenceFile.test(entry.name))
    .map((entry) => join(folder, entry.name));
  const here = (textsHere[name] ?? []).map((path) => join(root, path));
  const files = (own.length > 0 ? own : here).map((path) => readFileSync(path, 'utf8').trim());
  if (files.length === 0) {
    throw new Error(
      `The package ${name} ${version} is bundled and has no licence text (LICENSE, COPYING): ` +
        'ask its authors for a release that has it, or replace the package.',
    );
  }
  return [`${name} ${version}`, ...files, ''].join('\n\n');
}
