// Builds dist/ from src/ and schemas/: validators, messages and their types first, then one bundle a program.
import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { thirdPartyNotices } from './third-party-notices.mjs';
import { withoutUnusedParts } from './unused-parts.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = join(root, 'dist', '.built');

/** Programs are the files of src/bin. */
async function programs() {
  const names = await readdir(join(root, 'src', 'bin'));
  return names.filter((name) => name.endsWith('.ts')).map((name) => join(root, 'src', 'bin', name));
}

async function readSchemas() {
  const directory = join(root, 'schemas');
  const names = (await readdir(directory)).filter((name) => name.endsWith('.json')).sort();
  const { csrSchemas } = await importTypeScript('csr-schemas.ts');
  const { oemSchemas } = await importTypeScript('oem-schemas.ts');
  const written = names.map(async (name) =>
    JSON.parse(await readFile(join(directory, name), 'utf8')),
  );
  return [...(await Promise.all(written)), ...csrSchemas, ...oemSchemas];
}

/** Imports a file of this folder, with what it imports of src. */
async function importTypeScript(name) {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [join(root, 'scripts', name)],
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
  });
  return import(
    `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`
  );
}

/** Standalone code needs no ajv at run time, but for its modules that the code imports, and no `new Function`. */
async function generateValidators(schemas) {
  const { default: Ajv } = await import('ajv');
  const { default: standaloneCode } = await import('ajv/dist/standalone/index.js');
  const ajv = new Ajv({
    allErrors: true,
    useDefaults: true,
    strict: true,
    // Reports may be shown to clients: values, which may be secrets, never come along
    verbose: false,
    code: { source: true, esm: true },
  });
  ajv.addVocabulary(['restart']);
  await tellKnownMembers(ajv);
  ajv.addSchema(JSON.parse(JSON.stringify(schemas, withoutDescription)));
  const exports = Object.fromEntries(schemas.map(({ $id, title }) => [`validate${title}`, $id]));
  // ajv writes ES modules that require its CommonJS modules
  const code = standaloneCode(ajv, exports)
    .replace(
      /const (\w+) = require\("([^"]+)"\)(.*?);/g,
      "import $1Module from '$2.js'; const $1 = $1Module$3;",
    )
    // Which part of a schema was broken, nobody asks; it was a fifth of the code
    .replace(/schemaPath:"(?:[^"\\]|\\.)*",/g, '');
  await mkdir(join(root, 'schemas', 'generated'), { recursive: true });
  await writeFile(join(root, 'schemas', 'generated', 'validators.js'), code);
}

/** The code holds whole schemas, and descriptions are for people. */
function withoutDescription(keyword, value) {
  return keyword === 'description' && typeof value === 'string' ? undefined : value;
}

/** Has the fault of an unknown member say which ones there are, to find the one that was meant. */
async function tellKnownMembers(ajv) {
  const { _, stringify } = await import('ajv');
  const path = 'ajv/dist/vocabularies/applicator/additionalProperties.js';
  const { default: keyword } = (await import(path)).default;
  const params = ({ params: { additionalProperty }, parentSchema: { properties = {} } }) =>
    _`{additionalProperty: ${additionalProperty}, known: ${stringify(Object.keys(properties))}}`;
  ajv.removeKeyword(keyword.keyword);
  ajv.addKeyword({ ...keyword, error: { ...keyword.error, params } });
}

/**
 * Which programs must be restarted for a change of a setting: those of `restart` at the member of the configuration, or
 * at the nearest object around it that has the keyword.
 */
export function restartSettings({ properties = {}, restart }, path = '', inherited = restart) {
  return Object.entries(properties).flatMap(([name, member]) => {
    const programs = member.restart ?? inherited;
    const below = `${path}/${name}`;
    if (member.properties) return restartSettings(member, below, programs);
    return programs.length > 0 ? [[below, programs]] : [];
  });
}

async function generateRestartSettings(schemas) {
  const configuration = schemas.find(({ title }) => title === 'Configuration');
  const settings = Object.fromEntries(restartSettings(configuration));
  const file = join(root, 'schemas', 'generated', 'restart-settings.json');
  await writeFile(file, JSON.stringify(settings, null, 2));
}

async function generateTypes(schemas) {
  const { compile } = await import('json-schema-to-typescript');
  const texts = [];
  for (const schema of schemas) {
    const text = await compile(schema, schema.title, {
      cwd: join(root, 'schemas'),
      bannerComment: '',
      format: false,
      ignoreMinAndMaxItems: true,
    });
    texts.push(text);
  }
  const validators = schemas.map(
    ({ title }) => `export declare const validate${title}: Validator<${title}>;`,
  );
  const head = `export interface Fault {
  instancePath: string;
  keyword: string;
  message?: string;
  params: Record<string, unknown>;
}
export interface Validator<T> {
  (value: unknown): value is T;
  errors?: Fault[] | null;
}
`;
  const file = join(root, 'schemas', 'generated', 'validators.d.ts');
  await writeFile(file, [head, ...texts, ...validators, ''].join('\n'));
}

/** The messages of gRPC services, from their declarations. */
async function generateMessages() {
  const plugin = {
    local: join(root, 'node_modules', '.bin', 'protoc-gen-es'),
    out: join(root, 'schemas', 'generated', 'gnoi'),
    opt: ['target=js+dts', 'import_extension=js'],
  };
  const template = JSON.stringify({ version: 'v2', plugins: [plugin] });
  const buf = join(root, 'node_modules', '@bufbuild', 'buf', 'bin', 'buf');
  const args = [buf, 'generate', '--template', template, join(root, 'schemas', 'gnoi')];
  await promisify(execFile)(process.execPath, args);
}

/** The texts of the YANG modules, by name@revision: a bundle has them in itself. */
async function generateYangModules() {
  const directory = join(root, 'schemas', 'yang');
  const names = (await readdir(directory)).filter((name) => name.endsWith('.yang')).sort();
  const texts = names.map(async (name) => [
    basename(name, '.yang'),
    await readFile(join(directory, name), 'utf8'),
  ]);
  const file = join(root, 'schemas', 'generated', 'yang-modules');
  const modules = JSON.stringify(Object.fromEntries(await Promise.all(texts)), null, 2);
  await writeFile(`${file}.js`, `export const yangModules = ${modules};\n`);
  const type = 'export declare const yangModules: Readonly<Record<string, string>>;\n';
  await writeFile(`${file}.d.ts`, type);
}

async function bundle() {
  const { build } = await import('esbuild');
  const { billOfMaterials } = await import('./sbom.mjs');
  const outdir = join(root, 'dist');
  const entryPoints = await programs();
  await build({
    absWorkingDir: root,
    entryPoints,
    outdir,
    bundle: true,
    // ES modules would bring their loader along: 1 MB in each program, and a tenth of the time of a start
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    minify: true,
    sourcemap: true,
    // They are in the notices
    legalComments: 'none',
    // dbus-next looks for it at run time and does without
    external: ['x11'],
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
    logLevel: 'warning',
    plugins: [
      withoutUnusedParts(root),
      thirdPartyNotices(root, join(outdir, 'THIRD-PARTY-NOTICES.txt')),
      ...billOfMaterials(root, 'sbom.cdx.json'),
    ],
  });
  // The clone is of ES modules
  await writeFile(join(outdir, 'package.json'), '{ "type": "commonjs" }\n');
  for (const entry of entryPoints) await mustBeAscii(join(outdir, `${basename(entry, '.ts')}.js`));
  // A link to it in the PATH is started as a program
  await chmod(join(outdir, 'bmc-certs.js'), 0o755);
  await removeOtherPrograms(outdir, entryPoints);
}

/** One character beyond Latin-1 makes V8 hold the whole text with two bytes a character. */
export async function mustBeAscii(file) {
  const at = (await readFile(file)).findIndex((byte) => byte > 0x7f);
  if (at >= 0)
    throw new Error(`${file} is not ASCII at byte ${at}: V8 would hold it twice as large.`);
}

/** Those of earlier sources would come into the package. */
async function removeOtherPrograms(outdir, entryPoints) {
  const bundles = entryPoints.map((path) => basename(path, '.ts'));
  const programFile = /^(.+)\.js(\.map)?$/;
  for (const name of await readdir(outdir)) {
    const [, program] = programFile.exec(name) ?? [];
    if (program !== undefined && !bundles.includes(program)) await rm(join(outdir, name));
  }
}

async function newest(path) {
  const info = await stat(path);
  if (!info.isDirectory()) return info.mtimeMs;
  const names = await readdir(path);
  const times = await Promise.all(
    names.filter((name) => name !== 'generated').map((name) => newest(join(path, name))),
  );
  return Math.max(0, info.mtimeMs, ...times);
}

/** Generates what type checks and tests need beside the sources. */
export async function generate() {
  const schemas = await readSchemas();
  await generateValidators(schemas);
  await generateTypes(schemas);
  await generateMessages();
  await generateYangModules();
  await generateRestartSettings(schemas);
}

/** Builds everything when a source is newer than the last build. */
export async function build() {
  const built = await stat(stamp).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  const sources = ['src', 'schemas', 'scripts', 'stubs', 'package.json', 'package-lock.json'].map(
    (name) => newest(join(root, name)),
  );
  if (Math.max(...(await Promise.all(sources))) < built) return;
  process.stderr.write('Building the programs in dist/ …\n');
  await generate();
  await bundle();
  await writeFile(stamp, '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build();
