import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { curl, logIn } from '../e2e/redfish-client.ts';
import { csdlFolder, skipWithout } from '../schemas/folder.ts';
import { unexplained } from './explained.ts';
import { collections, type FilledStack, startFilledStack } from './filled-stack.ts';
import { runProgram, serviceArguments, skipUninstalled } from './programs.ts';
import { propertyFindings, readCounts, readReport } from './reports.ts';

describe('the Redfish Service Validator', {
  skip: skipUninstalled || skipWithout(csdlFolder),
}, () => {
  let filled: FilledStack;
  let output: string;

  before(async () => {
    filled = await startFilledStack();
    const schemas = await withOwnSchema(filled);
    const { stdout, stderr } = await runProgram(
      'rf_service_validator',
      [
        ...serviceArguments(filled.stack),
        ...['--schema_directory', schemas, '--skipschema', '--logdir', filled.folder],
      ],
      { seconds: 150 },
    );
    output = stdout + stderr;
  });

  after(() => filled?.close());

  it('reads the whole tree', () => {
    const visited = [...output.matchAll(/^Validating (\S+)\.\.\.$/gm)].map(([, uri]) => uri);
    const expected = [
      '/redfish/v1/AccountService',
      '/redfish/v1/CertificateService',
      '/redfish/v1/CertificateService/CertificateLocations',
      '/redfish/v1/Managers/bmc/NetworkProtocol',
      '/redfish/v1/SessionService/Sessions',
      ...Object.values(collections).map((uri) => `${uri}/1`),
    ];
    for (const uri of expected) assert.ok(visited.includes(uri), `${uri} was not read:\n${output}`);
  });

  it('finds no failure, and no warning that is not explained', () => {
    const findings = propertyFindings(readReport(filled.folder, '.html'));
    assert.deepEqual(unexplained('RSV', findings), []);
    const { pass = 0, fail, warn } = readCounts(output);
    assert.ok(pass > 150, output);
    assert.equal(fail, 0, output);
    // Every warning that was counted was also read from the report
    assert.equal(warn, findings.length, output);
  });
});

/** DMTF's CSDL, and that of the service itself, where `$metadata` says that it is. @returns the folder */
async function withOwnSchema({ stack: { url, password }, folder }: FilledStack): Promise<string> {
  const schemas = join(folder, 'csdl');
  mkdirSync(schemas);
  for (const name of readdirSync(csdlFolder))
    symlinkSync(join(csdlFolder, name), join(schemas, name));
  const { text } = await curl(`${url}/redfish/v1/$metadata`);
  const [, path = ''] = /Reference Uri="(\/[^"]+)"/.exec(text) ?? [];
  const token = await logIn(url, password);
  const own = await curl(`${url}${path}`, { token });
  assert.equal(own.status, 200, path);
  writeFileSync(join(schemas, path.slice(path.lastIndexOf('/') + 1)), own.text);
  return schemas;
}
