import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Version } from '@cyclonedx/cyclonedx-library/Spec';
import { JsonStrictValidator } from '@cyclonedx/cyclonedx-library/Validation';
import { build } from 'esbuild';
import { thirdPartyNotices } from '../../scripts/third-party-notices.mjs';

const clone = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(clone, path), 'utf8');
const manifest = (folder: string) => JSON.parse(read(`${folder}/package.json`));

/** Of packages whose archives have no text of it. */
const textsHere = new Map([['@bufbuild/protobuf', 'LICENSE']]);

/**
 * Folders of packages, from the source maps: they say of each line of a bundle where it stood. Names of packages do not
 * begin with a dot; what does is a folder that the map of a package names.
 */
const bundled = new Set(
  readdirSync(join(clone, 'dist'))
    .filter((name) => name.endsWith('.map'))
    .flatMap((name): string[] => JSON.parse(read(`dist/${name}`)).sources)
    .map((source) => /^\.\.\/(.*node_modules\/(?:@[^/]+\/)?[^/.@][^/]*)\//.exec(source)?.[1])
    .filter((folder) => folder !== undefined),
);

describe('the licence', () => {
  it('is Apache-2.0, in full', () => {
    assert.equal(manifest('.').license, 'Apache-2.0');
    const text = read('LICENSE').replace(/\s+/g, ' ').trim();
    assert.match(text, /^Apache License Version 2\.0, January 2004 http:\/\/www\.apache\.org/);
    for (const part of ['9. Accepting Warranty', 'END OF TERMS AND CONDITIONS', 'APPENDIX']) {
      assert.ok(text.includes(part), part);
    }
  });
});

describe('the notices beside the bundles', () => {
  it('know the packages that are expected', () => {
    for (const name of ['express', 'dbus-next', 'node-forge', 'winston', 'ajv', '@grpc/grpc-js']) {
      assert.ok(bundled.has(`node_modules/${name}`), name);
    }
  });

  for (const folder of bundled) {
    it(`have name, version and licence text of ${folder}`, () => {
      const notices = read('dist/THIRD-PARTY-NOTICES.txt');
      const { name, version } = manifest(folder);
      const own = readdirSync(join(clone, folder)).find((file) => /^licen[cs]e/i.test(file));
      const text = own ? `${folder}/${own}` : textsHere.get(name);
      assert.ok(text, 'a licence text');
      const notice = `\n${name} ${version}\n\n${read(text).trim()}\n`;
      assert.ok(notices.includes(notice));
    });
  }
});

describe('a bundle with a package of others', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'notices-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }

  const bundle = (name: string) =>
    build({
      absWorkingDir: directory,
      stdin: { contents: `import '${name}'`, resolveDir: directory },
      bundle: true,
      write: false,
      logLevel: 'silent',
      plugins: [thirdPartyNotices(directory, join(directory, 'notices'))],
    });

  it('is not built when that has no licence text, and says what to do', async () => {
    write('node_modules/bare/package.json', '{ "name": "bare", "version": "1.2.3" }');
    write('node_modules/bare/index.js', 'console.log(1)');
    await assert.rejects(
      bundle('bare'),
      /The package bare 1\.2\.3 is bundled.*no licence text.*ask/,
    );
  });

  it('has every licence and notice of a package, and of a copy within a package', async () => {
    const outer = 'node_modules/@of/outer';
    const inner = `${outer}/node_modules/inner`;
    write(`${outer}/package.json`, '{ "name": "@of/outer", "version": "1.0.0" }');
    write(`${outer}/index.js`, 'import "inner"; console.log(1)');
    for (const name of ['LICENSE-MIT', 'Licence.md', 'NOTICE'])
      write(`${outer}/${name}`, `(${name})`);
    write(`${outer}/licensed.js`, 'not a licence');
    write(`${inner}/package.json`, '{ "name": "inner", "version": "2.0.0" }');
    write(`${inner}/index.js`, 'console.log(2)');
    write(`${inner}/COPYING`, '(COPYING)');
    await bundle('@of/outer');
    const notices = readFileSync(join(directory, 'notices'), 'utf8');
    assert.match(notices, /@of\/outer 1\.0\.0\s+\(LICENSE-MIT\)\s+\(Licence\.md\)\s+\(NOTICE\)/);
    assert.match(notices, /inner 2\.0\.0\s+\(COPYING\)/);
    assert.doesNotMatch(notices, /not a licence/);
  });
});

describe('the software bill of materials', () => {
  const text = read('dist/sbom.cdx.json');
  const { metadata, components, ...head } = JSON.parse(text);

  it('is valid CycloneDX 1.6', async () => {
    assert.equal(head.specVersion, '1.6');
    assert.equal(await new JsonStrictValidator(Version.v1dot6).validate(text), null);
  });

  it('is about this program under its licence', () => {
    const { name, version, license } = manifest('.');
    assert.equal(metadata.component.name, name);
    assert.equal(metadata.component.version, version);
    assert.equal(metadata.component.licenses[0].license.id, license);
  });

  it('has neither time nor serial number, so that a build can be repeated byte by byte', () => {
    assert.equal(metadata.timestamp, undefined);
    assert.equal(head.serialNumber, undefined);
    assert.ok(!text.includes(clone));
  });

  for (const folder of bundled) {
    it(`has address, licence and digest of ${folder}`, () => {
      const { name, version } = manifest(folder);
      const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
      const found = components.find((one: { purl: string }) => one.purl.split('?')[0] === purl);
      assert.ok(found, purl);
      assert.ok(found.licenses[0].expression ?? found.licenses[0].license.id);
      const { integrity } = JSON.parse(read('package-lock.json')).packages[folder];
      const digest = Buffer.from(found.hashes[0].content, 'hex').toString('base64');
      assert.equal(`sha512-${digest}`, integrity);
    });
  }

  it('has nothing of what development needs', () => {
    const names = components.map((one: { name: string }) => one.name);
    for (const name of ['typescript', 'esbuild', 'biome', 'fast-check'])
      assert.ok(!names.includes(name));
  });
});
