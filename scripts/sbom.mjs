// Software bill of materials of the bundles, CycloneDX 1.6: the packages that esbuild put into them.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cyclonedxEsbuildPlugin } from '@cyclonedx/cyclonedx-esbuild';

/** What the LICENSE of packages says whose package.json has no SPDX expression. */
const licences = { '@nornagon/put': 'MIT', jsbi: 'Apache-2.0' };

/** esbuild plugins that write the bill to a file of the output directory; no clock and no random number is in it. */
export function billOfMaterials(root, outputFile) {
  const generator = cyclonedxEsbuildPlugin({
    specVersion: '1.6',
    outputFile,
    outputReproducible: true,
    validate: true,
    // What fails is thrown all the same
    logLevel: 'silent',
  });
  const completion = {
    name: 'complete-bill-of-materials',
    setup(build) {
      build.onEnd(async ({ metafile }) => {
        if (metafile) await complete(root, join(build.initialOptions.outdir, outputFile));
      });
    },
  };
  return [generator, completion];
}

/** Adds what the generator does not find: the digests of the lockfile, and missing licences. */
async function complete(root, file) {
  const bill = JSON.parse(await readFile(file, 'utf8'));
  const digests = await lockedDigests(root);
  for (const component of bill.components) {
    const name = [component.group, component.name].filter(Boolean).join('/');
    const digest = digests.get(`${name}@${component.version}`);
    if (digest) component.hashes = [{ alg: 'SHA-512', content: digest }];
    component.licenses ??= [{ license: { id: licenceOf(name), acknowledgement: 'declared' } }];
  }
  await writeFile(file, `${JSON.stringify(bill, null, 2)}\n`);
}

function licenceOf(name) {
  const id = licences[name];
  if (id) return id;
  throw new Error(
    `The package ${name} is bundled, and its package.json names no licence of SPDX: ` +
      'read its LICENSE, and add the identifier to scripts/sbom.mjs.',
  );
}

/** SHA-512 of the archive of each package, in hexadecimal, by name@version. */
async function lockedDigests(root) {
  const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  const locked = Object.entries(packages).filter(([, { integrity }]) => integrity);
  return new Map(
    locked.map(([path, { version, integrity }]) => [
      `${path.replace(/^.*node_modules\//, '')}@${version}`,
      Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex'),
    ]),
  );
}
