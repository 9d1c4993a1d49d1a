import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { oemActions, oemTypes } from '../../../src/redfish/oem/declaration.ts';
import { startService, type TestService } from '../service.ts';

describe('the schema of what is our own', () => {
  let service: TestService;
  before(async () => {
    service = await startService();
  });
  after(() => service.close());

  const read = async (path: string) => {
    const { status, text } = await service.ask('GET', path);
    assert.equal(status, 200, text);
    return text;
  };

  it('is CSDL that $metadata refers to, with each action and each type once', async () => {
    const metadata = await read('/redfish/v1/$metadata');
    const own = /<edmx:Reference Uri="(\/[^"]+)">\s+<edmx:Include Namespace="BmcCertificates"/;
    const csdl = await read(own.exec(metadata)?.[1] ?? '');
    for (const name of Object.keys(oemActions))
      assert.equal(csdl.split(`<Action Name="${name}" IsBound="true">`).length, 2, name);
    for (const name of Object.keys(oemTypes))
      assert.equal(csdl.split(`<ComplexType Name="${name}"`).length, 2, name);
    const { length } = csdl.match(/<(\w[\w:]*)(?=[ >])(?![^>]*\/>)/g) ?? [];
    assert.equal(csdl.match(/<\/[\w:]+>/g)?.length, length, 'each element is closed');
  });

  it('is a JSON Schema that JsonSchemas leads to, with its own address', async () => {
    const { Members } = JSON.parse(await read('/redfish/v1/JsonSchemas'));
    const files: readonly string[] = Members.map((one: object) => Object.values(one)[0]);
    const file = files.find((uri) => uri.includes('BmcCertificates')) ?? '';
    const { Location } = JSON.parse(await read(file));
    const schema = JSON.parse(await read(Location[0].Uri));
    assert.equal(schema.$id, Location[0].Uri);
    const { parameters } = schema.definitions.Stage;
    assert.equal(parameters.CertificateString.requiredParameter, true);
    assert.equal(parameters.Seconds.requiredParameter, false);
  });
});
