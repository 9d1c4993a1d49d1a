import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { preparePrivateBus } from '../../src/local-stack/bus-daemon.ts';
import { makeConfiguration } from '../../src/local-stack/configuration.ts';
import { removeDirectory, temporaryDirectory } from '../e2e/stack.ts';
import { parseStackOptions } from '../fakes/stack-options.ts';

const bus = 'unix:path=/state/run/bus';

describe('the configuration of the local stack', () => {
  const directory = temporaryDirectory();
  after(() => removeDirectory(directory));

  const make = (document?: object, ...args: string[]) => {
    const file = join(directory, 'given.json');
    if (document) writeFileSync(file, JSON.stringify(document));
    const all = document ? ['--config', file, ...args] : args;
    return makeConfiguration(parseStackOptions(all, directory), bus);
  };

  it("has OpenBMC's endpoints with all of their files below the state directory", () => {
    const { parsed } = make();
    assert.deepEqual(
      parsed.endpoints.map(({ type, name, path }) => [`${type}/${name}`, path]),
      [
        ['server/https', join(directory, 'https/server.pem')],
        ['client/ldap', join(directory, 'ldap/cert.pem')],
        ['authority/truststore', join(directory, 'authority')],
        ['authority/revoked', join(directory, 'revoked')],
      ],
    );
    // OpenBMC's web UI has labels for the others
    const hidden = parsed.endpoints.filter(({ inCertificateLocations: at }) => at === false);
    assert.deepEqual(
      hidden.map(({ name }) => name),
      ['revoked'],
    );
    assert.equal(parsed.runtimeDirectory, join(directory, 'run'));
    assert.equal(parsed.bus, bus);
    assert.equal(parsed.redfish.address, '127.0.0.1');
    assert.equal(parsed.redfish.port, 8443);
  });

  it('has what the gNOI service needs, where that is started, and nothing of it otherwise', () => {
    const { parsed } = make(undefined, '--with', 'gnoi', '--gnoi-port', '0', '--host', '::1');
    assert.deepEqual(
      [parsed.gnoi.address, parsed.gnoi.port, parsed.gnoi.streams],
      ['::1', 0, 'junos'],
    );
    assert.ok(parsed.endpoints.some(({ type, name }) => type === 'server' && name === 'gnoi'));
    assert.deepEqual(
      parsed.services.map(({ name, file }) => [name, file]),
      [['gnoi', join(directory, 'services/gnoi/credential.pem')]],
    );
    const beside = make(
      { services: [{ name: 'nginx', reload: [] }] },
      '--with',
      'gnoi,netconf',
    ).parsed;
    assert.deepEqual(
      beside.services.map(({ name }) => name),
      ['gnoi', 'netconf', 'nginx'],
    );
    const own = make(
      { services: [{ name: 'gnoi', file: 'here.pem', reload: [] }] },
      ...['--with', 'gnoi'],
    );
    assert.deepEqual(
      own.parsed.services.map(({ file }) => file),
      [join(directory, 'here.pem')],
    );
    const without = make().parsed;
    assert.equal(without.endpoints.length, 4);
    assert.deepEqual(without.services, []);
  });

  it('has the settings of the gNOI service that are given', () => {
    const { parsed } = make({ gnoi: { streams: 'strict', port: 1 } }, '--with', 'gnoi');
    assert.deepEqual([parsed.gnoi.streams, parsed.gnoi.port], ['strict', 1]);
  });

  for (const [gnoi, path] of [
    [{ streams: 'all' }, '/gnoi/streams'],
    [{ seconds: { finalize: 0 } }, '/gnoi/seconds/finalize'],
    [{ clientAuthentication: 'maybe' }, '/gnoi/clientAuthentication'],
    [7, '/gnoi'],
  ] as const) {
    it(`is refused for ${JSON.stringify({ gnoi })}, by the path of the member`, () => {
      for (const args of [[], ['--with', 'gnoi']]) {
        assert.throws(
          () => make({ gnoi }, ...args),
          new RegExp(`${path} \\(line 1, column \\d+\\)`),
        );
      }
    });
  }

  it('is written with what was said of it, without the defaults', async () => {
    const { path, write } = make({ redfish: { managerId: 'x' } });
    await write(new Map([['redfish', 1234]]));
    const { redfish, ...others } = JSON.parse(readFileSync(path, 'utf8'));
    assert.deepEqual(redfish, { address: '127.0.0.1', port: 1234, directory: '.', managerId: 'x' });
    assert.deepEqual(Object.keys(others), [
      'endpoints',
      'stateDirectory',
      'runtimeDirectory',
      'bus',
    ]);
  });

  const sources = [
    { rule: 'the given file', document: { redfish: { port: 1234 } }, args: [], port: 1234 },
    {
      rule: 'the option before the given file',
      document: { redfish: { port: 1234 } },
      args: ['--https-port', '0'],
      port: 0,
    },
    { rule: 'the default', document: { redfish: { managerId: 'x' } }, args: [], port: 8443 },
  ];
  for (const { rule, document, args, port } of sources) {
    it(`takes the port from ${rule}`, () => {
      assert.equal(make(document, ...args).parsed.redfish.port, port);
    });
  }

  it('keeps what the given file says of other things', () => {
    const { parsed } = make({ limits: { authorities: 3 }, redfish: { managerId: 'bmc0' } });
    assert.equal(parsed.limits.authorities, 3);
    assert.equal(parsed.redfish.managerId, 'bmc0');
    assert.equal(parsed.redfish.address, '127.0.0.1');
  });

  it('keeps the state directory and the bus of the options, whatever the given file says', () => {
    const { parsed } = make({ stateDirectory: '/elsewhere', runtimeDirectory: '/run/x', bus: 'y' });
    assert.equal(parsed.stateDirectory, directory);
    assert.equal(parsed.runtimeDirectory, join(directory, 'run'));
    assert.equal(parsed.bus, bus);
  });

  it('has the endpoints of the given file in place of its own', () => {
    const endpoints = [{ type: 'server', name: 'https', path: 'mine.pem' }];
    const { parsed } = make({ endpoints });
    assert.equal(parsed.endpoints.length, 1);
    assert.equal(parsed.endpoints[0]?.path, join(directory, 'mine.pem'));
  });

  it('is written for the owner only, with the port that the system chose', async () => {
    const configuration = make(undefined, '--https-port', '0');
    await configuration.write();
    assert.equal(JSON.parse(readFileSync(configuration.path, 'utf8')).redfish.port, 0);
    await configuration.write(new Map([['redfish', 45_678]]));
    const text = readFileSync(configuration.path, 'utf8');
    assert.equal(JSON.parse(text).redfish.port, 45_678);
    assert.equal(statSync(configuration.path).mode & 0o777, 0o600);
  });

  const bad = [
    {
      text: '{"redfish": {"port": "x"}}',
      says: /given\.json is not valid: \/redfish\/port \(line 1, column 14\) /,
    },
    { text: '{"redfish": 5}', says: /given\.json is not valid: \/redfish \(line 1, column 2\) / },
    { text: '{"colour": 5}', says: /given\.json is not valid: \/colour \(line 1, column 2\) / },
    {
      text: '{"endpoints": 5}',
      says: /given\.json is not valid: \/endpoints \(line 1, column 2\) /,
    },
    { text: '[]', says: /given\.json is not a JSON object\.$/ },
    { text: 'null', says: /given\.json is not a JSON object\.$/ },
    { text: '{"a":\n x}', says: /given\.json is not JSON from line 2, column 2 on, in \/a: / },
  ];
  for (const { text, says } of bad) {
    it(`refuses ${JSON.stringify(text)} by the name of its file`, () => {
      const file = join(directory, 'given.json');
      writeFileSync(file, text);
      const options = parseStackOptions(['--config', file], directory);
      assert.throws(() => makeConfiguration(options, bus), { name: 'SetupError', message: says });
    });
  }

  it('refuses a file that is not there', () => {
    const options = parseStackOptions(['--config', '/nowhere/x.json'], directory);
    assert.throws(() => makeConfiguration(options, bus), {
      name: 'SetupError',
      message: 'The configuration /nowhere/x.json cannot be read: there is no such file.',
    });
  });
});

describe('the private bus of the local stack', () => {
  const directory = temporaryDirectory();
  after(() => removeDirectory(directory));

  it('has its socket and its configuration in the runtime directory', () => {
    const { address, configurationFile } = preparePrivateBus(directory);
    assert.equal(address, `unix:path=${directory}/bus`);
    assert.equal(configurationFile, join(directory, 'dbus.conf'));
    assert.equal(statSync(configurationFile).mode & 0o777, 0o600);
    const text = readFileSync(configurationFile, 'utf8');
    assert.ok(text.includes(`<listen>${address}</listen>`));
  });

  it('refuses a path that is too long for a socket', () => {
    const long = join(directory, 'x'.repeat(100));
    assert.throws(() => preparePrivateBus(long), {
      name: 'SetupError',
      message: /^The path .* is too long for a socket; choose a shorter --state-dir\.$/,
    });
  });

  for (const character of [',', ';', ':', '=', '<', '\n']) {
    it(`refuses a path with ${JSON.stringify(character)}`, () => {
      assert.throws(() => preparePrivateBus(`/state${character}x`), {
        name: 'SetupError',
        message: /has characters that a D-Bus address cannot have\.$/,
      });
    });
  }
});
